"""After a long silence delete notices may be missing: every known person is asked for by id, 300 a call.

Marketo's silence about an id is no delete: the person may be in a partition we cannot see. Who is not answered in two
runs is put on one list that a person decides about.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from syncadmin.engine.records import Lane, Ref, Table
from syncadmin.services.context import Context
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import ledger, text, work
from syncadmin.store.models import Checkpoint, Decision, Link, MarketoPerson, Run

NAME = "marketo.sweep"
FIELDS = "marketo.fields"
_BATCH = 300


def batch(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Asks for the next 300 linked people; in the second pass only for those who were not answered."""
    found = work.checkpoint(NAME)
    position = found.position
    if position.get("state") not in ("sweep", "again") or int(position.get("from_run", 0)) > run.pk:
        return NOTHING
    again = position["state"] == "again"
    people = _next(int(position["after"]), again=again)
    if not people:
        return _over(ctx, found, run, again=again)
    seen = ctx.now()
    refs = [Ref(Table.PERSON, str(person)) for person in people]
    answered = ctx.marketo.for_work(Lane.BACKFILL, "sweep").fetch(refs, book.person_fields()).records
    with transaction.atomic():
        if not work.move(found, "", as_of=None, run=None, position={**position, "after": people[-1]}):
            return did(True)
        store_people(ctx, book, answered, Lane.BACKFILL, seen, run)
        here = {int(record.ref.id) for record in answered}
        MarketoPerson.objects.filter(person__in=here).update(unanswered=0)
        silent = [person for person in people if person not in here]
        MarketoPerson.objects.filter(person__in=silent).update(unanswered=F("unanswered") + 1)
    return did(True, swept=len(people))


def read_new_fields(book: Rulebook, now: datetime) -> None:
    """A newly chosen field is read for everybody who is linked; people nobody is linked to come by the next extract."""
    found = work.checkpoint(FIELDS)
    wanted = text.digest(",".join(book.person_fields()))
    if found.position.get("digest") == wanted:
        return
    with transaction.atomic():
        if work.move(found, "", as_of=now, run=None, position={"digest": wanted}) and found.position:
            start(now)


def start(now: datetime) -> None:
    """All known people are asked for by id, from the first."""
    found = work.checkpoint(NAME)
    work.move(found, "", as_of=now, run=None, position={"state": "sweep", "after": 0, "begun": now.isoformat()})


def _next(after: int, *, again: bool) -> list[int]:
    known = MarketoPerson.objects.filter(person__gt=after, deleted_at__isnull=True)
    if again:
        known = known.filter(unanswered__gt=0)
    linked = known.filter(person__in=Link.objects.filter(marketo__isnull=False).values("marketo"))
    return list(linked.order_by("person").values_list("person", flat=True)[:_BATCH])


def _over(ctx: Context, found: Checkpoint, run: Run, *, again: bool) -> Step:
    silent = list(
        MarketoPerson.objects.filter(unanswered__gt=0, deleted_at__isnull=True).values_list("person", flat=True)
    )
    if not again and silent:
        position = {**found.position, "state": "again", "after": 0, "from_run": run.pk + 1}
        work.move(found, "", as_of=None, run=None, position=position)
        return did(True)
    with transaction.atomic():
        work.move(found, "", as_of=None, run=None, position={"state": "done"})
        lost = [person for person in silent if again]
        if lost:
            facts = {"side": "marketo", "ids": [str(person) for person in lost], "count": len(lost)}
            ledger.decision(
                Decision(
                    kind="ids_missing",
                    subject="marketo",
                    facts=facts,
                    choices=["apply", "refuse"],
                    opened_at=ctx.now(),
                    run=run,
                )
            )
    return did(True, people_missing=len(lost))
