"""Bugs in services and connectors, caught on the stack floor: the real loop, SQL and HTTP against both sandboxes."""

from __future__ import annotations

from functools import partial

from syncadmin.proof.planting import Bug


def _in(module: str) -> partial[Bug]:
    return partial(Bug, floor="stack", module=f"syncadmin.{module}")


_outcomes, _record = _in("services.outcomes"), _in("services.record")
_notices = _in("services.notices")
_people, _create = _in("services.pull_marketo"), _in("services.create_people")
_dynamics = _in("services.pull_dynamics")
_EVERYBODY_ELSE = (
    "notices.dynamics_gone(ctx, book, [str(one) for one in __import__('syncadmin.store.models', fromlist=['x'])"
    ".DynamicsRecord.objects.filter(table=table).exclude(guid__in=[one.ref.id for one in records])"
    ".values_list('guid', flat=True)], run)"
)

SERVICES = (
    _outcomes(
        name="what our writes replaced is not in the history",
        function="_passed",
        old="return [_written(Kind.UPDATED, side, case, write, run, now)]",
        new="return []",
        seed=11,
    ),
    _record(
        name="a conflict is settled and nobody is told",
        function="_conflicts",
        old="if found is None:",
        new="if True:",
        seed=11,
    ),
    _in("engine.rules")(
        name="collision rule swapped for contacts, in the whole loop",
        function="winner",
        old="_BY_TABLE[table]",
        new="Side.MARKETO",
        seed=11,
    ),
    _in("connectors.dynamics.requests")(
        name="If-Match left out",
        function="update_part",
        old='"If-Match": version or "*", ',
        new='"If-Match": "*", ',
        seed=11,
    ),
    _create(
        name="create repeated at once after a time-out",
        function="_send",
        old="work.release(here)",
        new="work.give_back(here)",
        seed=2010,
    ),
    _people(
        name="cursor moved early: what could not be read then is never read",
        function="changes",
        old="seen = ctx.now()",
        new="seen = ctx.now(); work.move(found, page.token, as_of=None, run=None); found = work.checkpoint(CHANGES)",
        seed=271,
    ),
    _dynamics(
        name="delta link moved early",
        function="_store",
        old="records = _with_companions(ctx, book, page.records)",
        new="work.move(checkpoint, page.cursor, as_of=seen, run=None); checkpoint = work.checkpoint(delta_name(table));"
        " records = _with_companions(ctx, book, page.records)",
        seed=35,
    ),
    _dynamics(
        name="delete inferred from a page",
        function="_store",
        old="notices.dynamics_gone(ctx, book, [ref.id for ref in page.deleted], run, seen)",
        new=_EVERYBODY_ELSE,
        seed=11,
    ),
    _in("engine.pairing")(
        name="qualified lead matched beside its contact",
        function="_by_lineage",
        old="if lead is not None:",
        new="if False:",
        seed=25,
    ),
    _in("services.push_dynamics")(
        name="what a write without an answer replaced in Dynamics is never told",
        function="_store",
        old="if _is_repeated(answer)",
        new="if False",
        seed=15,
    ),
    _outcomes(
        name="the answer to a worker that stood still undoes what both sides agreed to meanwhile",
        function="updates",
        old="answers = [answer for answer in answers if answer.write.pk in moved]",
        new="moved = {**{answer.write.pk: False for answer in answers}, **moved}",
        seed=20051,
    ),
    _in("engine.pairing")(
        name="of two merged leads the first contact takes the other's person",
        function="_is_of_another",
        old="return named is not None and",
        new="return False and",
        seed=20311,
    ),
    _in("services.push_marketo")(
        name="a value of ours whose answer was lost undoes the edit that came after it",
        function="_keep_what_arrived",
        old="link.agreed.update(agreed_on_arrival(book, Side.MARKETO, write, values))",
        new="pass",
        seed=13_660,
    ),
    _notices(
        name="the filter says No, and the person goes on",
        function="_stopped",
        old="Link.objects.filter(pk=link.pk).update(stopped=True)",
        new="pass",
        seed=25,
    ),
    _notices(
        name="a deleted record goes on as if it were there",
        function="apply_dynamics_deletes",
        old="Link.objects.filter(pk__in=ids).update(dynamics_deleted=True)",
        new="pass",
        seed=15,
    ),
    _in("store.budget")(
        name="a call before Retry-After has passed",
        function="_judge",
        old="if row.paused_until is not None and row.paused_until > now:",
        new="if False:",
        seed=61,
    ),
    _in("services.pair")(
        name="a record whose person is there gets no link",
        function="_link",
        old="linking.link_all(pairs, lane=lane, run=run, now=now)",
        new="pass",
        seed=11,
    ),
    _in("services.sync_look")(
        name="Sync Person finds nobody in Dynamics and creates whoever it is asked for",
        function="_judge",
        old="if not pool:",
        new="if True:",
        seed=1,
    ),
    _in("services.kept")(
        name="a value that was held, and that its own side replaced, is mentioned nowhere",
        function="_gave_way",
        old='if known.get("why") not in _PASSING or "d" not in known:',
        new="if True:",
        seed=22,
    ),
    _in("engine.merge")(
        name="what somebody empties on one side alone is filled again from the other",
        function="_one",
        old="bound, to = state.bound, source.other",
        new="source = source.other if sides.blank(source) else source; bound, to = state.bound, source.other",
        seed=12,
    ),
)
