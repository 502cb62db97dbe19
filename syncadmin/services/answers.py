"""What the answers to decisions lead to, kind by kind. Of a kind that is not here the answer is only kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_noop

from syncadmin.engine import standing
from syncadmin.engine.records import Lane, Ref, Side, Table
from syncadmin.services import linking, merges, notices
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
    """Of these subjects of ``match`` decisions, those that a person said are to get a record of their own."""
    found = Decision.objects.filter(kind="match", subject__in=list(subjects), answer__choice="separate")
    return set(found.values_list("subject", flat=True))


def take_up_requests(people: list[int], statuses: tuple[str, ...], now: datetime) -> None:
    """Queues the latest Sync Person request of each person again, unless one is under way."""
    busy = SyncRequest.objects.filter(person__in=people, status__in=("received", "queued"))
    waiting = set(people) - set(busy.values_list("person", flat=True))
    latest = SyncRequest.objects.filter(person__in=waiting, status__in=statuses).order_by("person", "-id")
    newest = list(latest.distinct("person").values_list("pk", flat=True))
    SyncRequest.objects.filter(pk__in=newest).update(status="queued", not_before=now, finished_at=None)


def lines(row: Decision, kind: Kind, details: dict[str, Any], who: str, now: datetime) -> list[Activity]:
    """A line in the history of each person a decision is about. Read with ``select_related("link")``."""
    about = [_id_of(face) for face in row.facts.get("records", ())] or [_ids(row)]
    return [
        Activity(link_id=row.link_id, dynamics=dynamics, marketo=marketo, at=now, kind=kind, details=details, who=who)
        for dynamics, marketo in about
    ]


def has_effect(kind: str) -> bool:
    """Whether an answer leads to anything; of other kinds it is only kept."""
    return kind in _EFFECTS


def _ids(row: Decision) -> tuple[UUID | None, int | None]:
    if row.link is not None:
        return row.link.dynamics, row.link.marketo
    return _id_of(row.facts.get("record") or {})


def _id_of(face: Mapping[str, Any]) -> tuple[UUID | None, int | None]:
    if face.get("id") in (None, ""):
        return None, None
    if face.get("table") == Table.PERSON:
        return None, int(face["id"])
    return UUID(str(face["id"])), None


def _match(row: Decision, choice: str, who: str, now: datetime) -> None:
    guid, person = _ids(row)
    if row.facts.get("records") or choice == standing.WAIT:
        # Pairing finds the answer and goes by it, as long as the same records share the address.
        asked = [face["id"] for face in row.facts.get("records", ())] or [str(guid)]
        DynamicsRecord.objects.filter(guid__in=asked, due__in=["decision", "waiting"]).update(due="pair", lane="live")
    elif choice.startswith("link:"):
        table, key = choice.split(":")[1:]
        if table == Table.PERSON:
            _join(_record(guid), int(key), who, now)
        else:
            _join(_record(UUID(key)), person, who, now)
    elif guid is not None:
        _own_person(_record(guid), who, now)
    elif person is not None:
        # Sync Person asks ``kept_apart`` and creates a record although others have the same e-mail.
        take_up_requests([person], ("decision",), now)


def _record(guid: UUID | None) -> DynamicsRecord:
    if guid is None:
        raise Overtaken(gettext_noop("The record this was about is no longer known."))
    found = DynamicsRecord.objects.select_for_update().filter(guid=guid, deleted_at__isnull=True).first()
    if found is None:
        raise Overtaken(gettext_noop("The record in Dynamics has been deleted since."))
    return found


def _join(record: DynamicsRecord, person: int | None, who: str, now: datetime) -> None:
    """Links the two; agreed stays empty, so the next merge is a first contact."""
    people = MarketoPerson.objects.select_for_update().filter(deleted_at__isnull=True)
    theirs = people.filter(person=person).first() if person is not None else None
    if theirs is None:
        raise Overtaken(gettext_noop("The person in Marketo has been deleted since."))
    partner = Link.objects.filter(dynamics=record.guid).values_list("marketo", flat=True).first()
    if partner is not None or Link.objects.filter(marketo=theirs.person).exists():
        raise Overtaken(gettext_noop("One of the two records has been linked with another one since."))
    linking.link(_ref(record), theirs.person, how="decision", lane=Lane.LIVE, run=None, now=now, who=who)
    _settle(record)


def _own_person(record: DynamicsRecord, who: str, now: datetime) -> None:
    if not linking.create_person(_ref(record), by_id=True, lane=Lane.LIVE, run=None, now=now, who=who):
        raise Overtaken(
            gettext_noop("A person with the same e-mail is being created right now; answer again after the next run.")
        )
    _settle(record)


def _ref(record: DynamicsRecord) -> Ref:
    return Ref(Table(record.table), str(record.guid))


def _settle(record: DynamicsRecord) -> None:
    record.due, record.wait_for = "", ""
    record.save(update_fields=["due", "wait_for"])


def _deletes(row: Decision, choice: str, who: str, now: datetime) -> None:
    """Held deletes, or people that Marketo no longer answers for."""
    if choice != "apply":
        return
    ids = [str(key) for key in row.facts.get("ids", ())]
    if row.facts.get("side") == Side.DYNAMICS:
        for seen, gone in _still_gone(ids, row.facts.get("told", {})).items():
            notices.apply_dynamics_deletes(gone, None, now, who, seen)
    else:
        notices.apply_people_deletes([int(key) for key in ids], None, now, who)


def _still_gone(guids: list[str], told: Mapping[str, str]) -> dict[datetime | None, list[str]]:
    """By the time of the notice of their delete; without those that were restored, and so read again, after it."""
    known = DynamicsRecord.objects.select_for_update().filter(guid__in=guids).order_by("guid")
    found: dict[datetime | None, list[str]] = {}
    for guid, seen in ((str(record.guid), record.seen_at) for record in known):
        at = datetime.fromisoformat(told[guid]) if guid in told else None
        if at is None or seen <= at:
            found.setdefault(at, []).append(guid)
    return found


def _links_meeting(row: Decision, choice: str, who: str, now: datetime) -> None:
    """Two links whose people were merged in Marketo; ``row.link`` is the one whose person was merged away."""
    if choice == "keep_winner":
        return
    winner = int(row.facts["winner"])
    links = list(Link.objects.select_for_update().filter(Q(pk=row.link_id) | Q(marketo=winner)).order_by("id"))
    moved = next((link for link in links if link.pk == row.link_id), None)
    if moved is None or moved.dynamics is None or not moved.marketo_deleted:
        raise Overtaken(gettext_noop("The link has changed since."))
    kept_away = merges.is_kept_away(moved)
    if kept_away and choice == "new_person":
        raise Overtaken(gettext_noop("The link has changed since."))
    for link in links:
        if link.pk != moved.pk and choice == "keep_loser":
            link.marketo, link.stopped = None, True
            link.save(update_fields=["marketo", "stopped"])
    moved.marketo = winner if choice == "keep_loser" else None
    # What was agreed with a person who is gone means nothing to another one.
    moved.agreed, moved.held, moved.written = {}, {}, {}
    moved.marketo_deleted, moved.stopped, moved.dirty = False, kept_away, choice == "keep_loser"
    moved.save()
    if choice == "new_person":
        _own_person(_record(moved.dynamics), who, now)


def _ask(row: Decision, choice: str, who: str, now: datetime) -> None:
    """The open conflict is chosen; the merge guards that both values are still those that were shown."""
    side = Side(choice)
    opened = Conflict.objects.select_for_update().filter(state="open", link=row.link_id)
    found = opened.filter(pk=row.facts["conflict"]) if "conflict" in row.facts else opened.filter(key=row.facts["key"])
    conflict = found.order_by("-id").first()
    if conflict is None or row.link_id is None:
        raise AlreadySettled(gettext_noop("This conflict has been settled already."))
    conflict.state, conflict.chosen, conflict.decided_by, conflict.decided_at = "chosen", side.value, who, now
    conflict.save(update_fields=["state", "chosen", "decided_by", "decided_at"])
    Link.objects.filter(pk=row.link_id).update(dirty=True)


_EFFECTS: Mapping[str, Callable[[Decision, str, str, datetime], None]] = {
    "match": _match,
    "ask": _ask,
    "deletes_held": _deletes,
    "ids_missing": _deletes,
    "links_meeting": _links_meeting,
}
