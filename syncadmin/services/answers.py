"""What the answers to decisions lead to, kind by kind. Kinds that are not here are carried out by the next run,
which finds the answer on the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from syncadmin.engine.records import Side, Table
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Conflict, Decision, DynamicsRecord, Link, MarketoPerson, SyncRequest


class Refused(Exception):
    """The decision stays open; the text says why, for the person who answered."""


class AlreadySettled(Refused):
    pass


class NotAChoice(Refused):
    pass


class Overtaken(Refused):
    pass


def carry_out(row: Decision, choice: str, who: str, now: datetime) -> None:
    """Marks what the next run has to do. Runs in the caller's transaction."""
    effect = _EFFECTS.get(row.kind)
    if effect is not None:
        effect(row, choice, who, now)


def kept_apart(subjects: Iterable[str]) -> set[str]:
    """Of these subjects (``dynamics:<guid>``, ``marketo:<id>``), those a person said are to get a record of their own."""
    found = Decision.objects.filter(kind="match", subject__in=list(subjects), answer__choice="separate")
    return set(found.values_list("subject", flat=True))


def take_up_requests(people: list[int], statuses: tuple[str, ...], now: datetime) -> None:
    """Queues the latest Sync Person request of each person again, unless one is under way."""
    busy = SyncRequest.objects.filter(person__in=people, status__in=("received", "queued"))
    waiting = set(people) - set(busy.values_list("person", flat=True))
    for person in sorted(waiting):
        latest = SyncRequest.objects.filter(person=person, status__in=statuses).order_by("-id").first()
        if latest is not None:
            latest.status, latest.not_before, latest.finished_at = "queued", now, None
            latest.save(update_fields=["status", "not_before", "finished_at"])


def line(row: Decision, kind: Kind, details: dict[str, Any], who: str, now: datetime) -> Activity:
    """A line in the history of the person a decision is about."""
    dynamics, marketo = _ids(row)
    return Activity(
        link_id=row.link_id, dynamics=dynamics, marketo=marketo, at=now, kind=kind, details=details, who=who
    )


def _ids(row: Decision) -> tuple[UUID | None, int | None]:
    if row.link is not None:
        return row.link.dynamics, row.link.marketo
    record = row.facts.get("record") or {}
    if record.get("id") in (None, ""):
        return None, None
    if record.get("table") == Table.PERSON:
        return None, int(record["id"])
    return UUID(str(record["id"])), None


def _match(row: Decision, choice: str, who: str, now: datetime) -> None:
    if choice == "separate":
        _wake(row, now)
        return
    _word, table, key = choice.split(":", 2)
    dynamics, marketo = _ids(row)
    if table == Table.PERSON:
        marketo = int(key)
    else:
        dynamics = UUID(key)
    if dynamics is None or marketo is None:
        raise Overtaken("The record this was about is no longer known.")
    link = _link(dynamics, marketo, now)
    row.link = link
    row.save(update_fields=["link"])
    ledger.activities([line(row, Kind.LINKED, {"how": "decision"}, who, now)])


def _link(dynamics: UUID, marketo: int, now: datetime) -> Link:
    """Both records, locked, become one link; agreed stays empty, so the next merge is a first contact."""
    record = DynamicsRecord.objects.select_for_update().filter(guid=dynamics, deleted_at__isnull=True).first()
    person = MarketoPerson.objects.select_for_update().filter(person=marketo, deleted_at__isnull=True).first()
    if record is None or person is None:
        raise Overtaken("One of the two records has been deleted since.")
    if Link.objects.filter(dynamics=dynamics).exists() or Link.objects.filter(marketo=marketo).exists():
        raise Overtaken("One of the two records has been linked with another one since.")
    for found in (record, person):
        found.due, found.lane = "", "live"
        found.save(update_fields=["due", "lane"])
    return Link.objects.create(
        table=record.table,
        dynamics=dynamics,
        marketo=marketo,
        name=record.name or person.name,
        email=record.email or person.email,
        dirty=True,
        linked_at=now,
        last_activity_at=now,
    )


def _wake(row: Decision, now: datetime) -> None:
    """The record is paired again; ``kept_apart`` then tells pairing to make one of its own."""
    dynamics, marketo = _ids(row)
    if dynamics is not None:
        DynamicsRecord.objects.filter(guid=dynamics).update(due="pair", lane="live")
    if marketo is not None:
        take_up_requests([marketo], ("decision",), now)


def _ask(row: Decision, choice: str, who: str, now: datetime) -> None:
    """The open conflict is chosen; the merge guards that both values are still those that were shown."""
    side = Side(choice)
    opened = Conflict.objects.select_for_update().filter(state="open", link=row.link_id)
    found = opened.filter(pk=row.facts["conflict"]) if "conflict" in row.facts else opened.filter(key=row.facts["key"])
    conflict = found.order_by("-id").first()
    if conflict is None or row.link_id is None:
        raise AlreadySettled("This conflict has been settled already.")
    conflict.state, conflict.chosen, conflict.decided_by = "chosen", side.value, who
    conflict.save(update_fields=["state", "chosen", "decided_by"])
    Link.objects.filter(pk=row.link_id).update(dirty=True)


_EFFECTS: Mapping[str, Callable[[Decision, str, str, datetime], None]] = {"match": _match, "ask": _ask}
