"""People who are in step, and edits on both sides: an incremental run, an idle one, and everybody at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connection

from syncadmin.engine.records import Side, Table
from syncadmin.proof.bench.drawer import Drawer, attributes, now
from syncadmin.proof.bench.initial import median_of
from syncadmin.proof.bench.meter import measured
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.population import guid, table_of
from syncadmin.proof.bench.stage import Stage, calls, stage
from syncadmin.store.models import Activity

_PEOPLE_A_CALL, _ROWS_A_PAGE = 300, 5_000
_QUIET_RUNS = 8
_RECORDS = (
    "store_dynamicsrecord", "store_marketoperson", "store_link", "store_pendingwrite", "store_receipt",
    "store_activity", "store_conflict", "store_failure",
)  # fmt: skip


def incremental(wanted: Options) -> Result:
    """A run with a thousand changes, half on each side, among everybody else."""
    return _changed(wanted, min(wanted.changes, wanted.people))


def storm(wanted: Options) -> Result:
    """Everybody changes at once, half of them on each side."""
    return _changed(wanted, wanted.people)


def _changed(wanted: Options, number: int) -> Result:
    with stage(wanted) as found:
        in_step(found)
        return median_of([changed(found, number, place) for place in range(wanted.repeat)])


def in_step(found: Stage) -> None:
    """Everybody is linked and quiet: what our first writes echo has been read."""
    found.say(f"{found.wanted.people} people are brought in step")
    found.settle()
    come_to_rest(found)


def come_to_rest(found: Stage) -> None:
    """Runs until one finds nothing."""
    for _ in range(_QUIET_RUNS):
        counts = found.run().counts
        if not counts:
            return
    raise NotMeasured(f"the systems do not come to rest: {counts}")


def changed(found: Stage, number: int, place: int) -> dict[str, Any]:
    """So many people are edited; runs until all of it has arrived. ``place`` tells rounds apart."""
    there, here = edit(found, number, place)
    before, theirs, newest = calls(), found.served.cpu() if found.served else 0.0, _newest_line()
    with measured() as cost:
        runs = found.settle()
    used, arrived = calls() - before, _updates(newest)
    if arrived != number:
        raise NotMeasured(f"{arrived} of {number} changes arrived on the other side")
    told = {"people": found.wanted.people, "changes": number, **cost.told(), "rate": round(number / cost.seconds, 1)}
    if found.served:
        told["sandbox_cpu"] = round(found.served.cpu() - theirs, 2)
    ideal = _ideal(found.batch_size(), there, here)
    told |= {"runs": runs, "statements_a_change": round(cost.statements / number, 2), "calls": dict(used)}
    echoes = _echoes(there, here)
    told |= {"ideal_calls": ideal, "call_ratio": round(_about_people(used) / ideal, 3), "echo_pages": echoes}
    told["call_ratio_with_echoes"] = round(_about_people(used) / (ideal + echoes), 3)
    # What our own writes echo is read by the next runs; it is no part of the time measured.
    come_to_rest(found)
    return told


def _newest_line() -> int:
    return Activity.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _updates(after: int) -> int:
    """Lines of history since that one that tell of a person or record of ours having been written."""
    # Not among all of them: reading millions before the clock starts is no way to find the caches as a run does.
    return Activity.objects.filter(pk__gt=after, kind="updated").count()


def edit(found: Stage, number: int, place: int) -> tuple[Counter[Table], Counter[Table]]:
    """Changes one field of so many people, in Dynamics for the even half and in Marketo for the odd one. Answers how many
    of each table that were, there and here.
    """
    step = max(1, found.wanted.people // number)
    # Others in each round, where there are others: whoever was edited just now is still in every cache.
    first = place % step
    people = range(first, first + number * step, step)
    there, here = people[::2], people[1::2]
    title = f"Title {place}"
    if found.canned is not None:
        _edit_canned(found.canned, there, here, title)
    elif found.served is not None:
        for one in there:
            order = {"entity": table_of(one), "id": guid(one), "changes": {"jobtitle": title}}
            found.served.order(Side.DYNAMICS, "edit", order)
        for one in here:
            order = {"entity": "person", "id": found.served.people[one], "changes": {"title": title}}
            found.served.order(Side.MARKETO, "edit", order)
    return Counter(map(table_of, there)), Counter(map(table_of, here))


def _edit_canned(drawer: Drawer, there: Iterable[int], here: Iterable[int], title: str) -> None:
    at, form = now(), attributes("Web form fillout")
    for one in there:
        drawer.write_record(one, {"jobtitle": title}, at)
    for one in here:
        drawer.write_person(one, {"title": title}, at, form)


def _ideal(batch: int, there: Counter[Table], here: Counter[Table]) -> int:
    """Full pages of everything that must be asked or said once: feeds, people read, writes."""
    # A change here is a line and a person to read; a change there is read before it is written, and written.
    marketo = 2 * math.ceil(here.total() / _PEOPLE_A_CALL) + 2 * math.ceil(there.total() / _PEOPLE_A_CALL)
    pages = sum(max(1, math.ceil(there[table] / _ROWS_A_PAGE)) for table in (Table.LEAD, Table.CONTACT))
    return marketo + pages + math.ceil(here.total() / batch)


def _echoes(there: Counter[Table], here: Counter[Table]) -> int:
    """Full pages of what both feeds tell of our own writes: nobody can read the feed without them."""
    return math.ceil(there.total() / _PEOPLE_A_CALL) + sum(math.ceil(each / _ROWS_A_PAGE) for each in here.values())


_FOR_PEOPLE = (
    "marketo changes", "marketo people", "marketo read before write", "marketo updates", "dynamics changes",
    "dynamics updates", "dynamics by id",
)  # fmt: skip


def _about_people(used: Counter[str]) -> int:
    return sum(used[name] for name in _FOR_PEOPLE)


def idle(wanted: Options) -> Result:
    """A run in which nothing has changed."""
    with stage(wanted) as found:
        in_step(found)
        return median_of([quiet_run(found) for _ in range(wanted.repeat)])


def quiet_run(found: Stage) -> dict[str, Any]:
    """One run after another that had found nothing."""
    found.run()
    before, written = calls(), rows_written()
    with measured() as cost:
        found.run()
    told = {"people": found.wanted.people, **cost.told(), "cpu_ms": round(1000 * cost.cpu, 1)}
    return {**told, "calls": dict(calls() - before), "rows_written": rows_written() - written}


def rows_written() -> int:
    """Rows of people inserted, updated or deleted so far, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")  # the counts are handed over when a transaction ends
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)",
            [list(_RECORDS)],
        )
        return int(cursor.fetchone()[0] or 0)
