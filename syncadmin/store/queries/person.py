"""One person: both records, what was agreed, what is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from syncadmin.engine.records import Side, Table
from syncadmin.store.models import (
    Conflict,
    Decision,
    DynamicsRecord,
    Failure,
    Link,
    MarketoPerson,
    PendingWrite,
    Receipt,
)
from syncadmin.store.options import Options
from syncadmin.store.queries import addresses, columns, conflicts, decisions, failures, history
from syncadmin.store.queries.columns import Catalogue, FieldRow
from syncadmin.store.queries.conflicts import ConflictRow
from syncadmin.store.queries.decisions import DecisionRow
from syncadmin.store.queries.failures import FailureRow
from syncadmin.store.queries.history import Whose
from syncadmin.store.queries.search import State

# More conflicts than this are read on the page of conflicts, filtered by this person.
LAST_CONFLICTS = 10


@dataclass(frozen=True, slots=True)
class SideRecord:
    """The record on one side as last seen. ``seen_at`` is None where only its id is known."""

    side: str
    table: str
    id: str
    name: str
    email: str
    seen_at: datetime | None
    modified_at: datetime | None
    deleted: bool
    filtered: bool = False
    waits: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class WaitingWrite:
    side: str
    op: str
    state: str
    decided_at: datetime
    not_before: datetime | None
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """``link`` is None for a record without a partner; then one of the two records is None as well."""

    link: int | None
    name: str
    email: str
    table: str
    linked_at: datetime | None
    states: tuple[State, ...]
    dynamics: SideRecord | None
    marketo: SideRecord | None
    fields: tuple[FieldRow, ...]
    held_whole: tuple[tuple[str, str], ...]
    writes: tuple[WaitingWrite, ...]
    failures: tuple[FailureRow, ...]
    conflicts: tuple[ConflictRow, ...]
    decisions: tuple[DecisionRow, ...]
    receipts: int

    @property
    def whose(self) -> Whose:
        """Whose history it is."""
        guid = UUID(self.dynamics.id) if self.dynamics else None
        return Whose(self.link, guid, int(self.marketo.id) if self.marketo else None)

    @property
    def both(self) -> tuple[tuple[str, SideRecord | None], ...]:
        return (Side.DYNAMICS, self.dynamics), (Side.MARKETO, self.marketo)


def link_of(dynamics: UUID | None = None, marketo: int | None = None) -> int | None:
    """The link a record belongs to, if it does."""
    which = {"dynamics": dynamics} if dynamics is not None else {"marketo": marketo}
    return Link.objects.filter(**which).values_list("pk", flat=True).first()


def of_link(pk: int, book: Catalogue) -> PersonDetail | None:
    link = Link.objects.filter(pk=pk).first()
    if link is None:
        return None
    record = DynamicsRecord.objects.filter(guid=link.dynamics).first() if link.dynamics else None
    person = MarketoPerson.objects.filter(person=link.marketo).first() if link.marketo else None
    return _detail(book, link, record, person)


def of_record(book: Catalogue, dynamics: UUID | None = None, marketo: int | None = None) -> PersonDetail | None:
    """A record without a partner."""
    record = DynamicsRecord.objects.filter(guid=dynamics).first() if dynamics is not None else None
    person = MarketoPerson.objects.filter(person=marketo).first() if marketo is not None else None
    return _detail(book, None, record, person) if record or person else None


def _detail(
    book: Catalogue, link: Link | None, record: DynamicsRecord | None, person: MarketoPerson | None
) -> PersonDetail:
    known = link or record or person
    assert known is not None
    table = link.table if link else record.table if record else Table.PERSON.value
    writes = list(PendingWrite.objects.filter(link=link).exclude(op="log").order_by("id")) if link else []
    receipts = list(Receipt.objects.filter(link=link, how="").values_list("key", flat=True)) if link else []
    open_failures = failures.rows(_failures(link, record, person))
    open_decisions = decisions.rows(_decisions(link, record, person))
    past = Conflict.objects.filter(link=link).select_related("link").order_by("-id")[:LAST_CONFLICTS] if link else []
    marks = columns.Marks(
        held=link.held if link else {},
        waiting={key: write.side for write in writes for key in write.fields},
        receipts=frozenset(receipts),
        failed={row.key: row.cause for row in open_failures if row.key},
    )
    return PersonDetail(
        link=link.pk if link else None,
        name=known.name,
        email=known.email,
        table=table,
        linked_at=link.linked_at if link else None,
        states=_states(link, record or person, bool(writes), open_failures, open_decisions),
        dynamics=_addressed(_dynamics(link, record), book.settings),
        marketo=_addressed(_marketo(link, person), book.settings),
        fields=_told(columns.rows(book, table, (link, record, person), marks), link),
        held_whole=tuple(
            (key[1:], columns.reason(why)) for key, why in marks.held.items() if key[:1] == "*" and columns.reason(why)
        ),
        writes=tuple(_write(write) for write in writes),
        failures=open_failures,
        conflicts=tuple(conflicts.row(conflict) for conflict in past),
        decisions=open_decisions,
        receipts=len(receipts),
    )


def _told(rows: tuple[FieldRow, ...], link: Link | None) -> tuple[FieldRow, ...]:
    last = history.last_done(link.pk) if link else {}
    return tuple(replace(row, last=last.get(row.key)) for row in rows)


def _addressed(record: SideRecord | None, settings: Options) -> SideRecord | None:
    """With where the record is shown over there, unless it is gone or not there yet."""
    if record is None or record.deleted or record.seen_at is None:
        return record
    return replace(record, address=addresses.of(record.side, record.table, record.id, settings))


def _failures(link: Link | None, record: DynamicsRecord | None, person: MarketoPerson | None) -> list[Failure]:
    subjects = [f"link:{link.pk}"] if link else []
    subjects += [f"dynamics:{record.guid}"] if record else []
    subjects += [f"marketo:{person.person}"] if person else []
    found = Failure.objects.select_related("link").filter(closed_at__isnull=True)
    return list((found.filter(subject__in=subjects) | found.filter(link=link, link__isnull=False)).order_by("-id"))


def _decisions(link: Link | None, record: DynamicsRecord | None, person: MarketoPerson | None) -> list[Decision]:
    subjects = [f"{record.table}:{record.guid}"] if record else []
    # Questions about an address are about everybody who has it.
    subjects += [f"email:{one.email}"[:100] for one in (record, person) if one is not None and one.email]
    subjects += [f"marketo:{person.person}"] if person else []
    found = Decision.objects.select_related("link").filter(answered_at__isnull=True)
    return list((found.filter(subject__in=subjects) | found.filter(link=link, link__isnull=False)).order_by("-id"))


def _states(
    link: Link | None,
    alone: DynamicsRecord | MarketoPerson | None,
    writing: bool,
    open_failures: tuple[FailureRow, ...],
    open_decisions: tuple[DecisionRow, ...],
) -> tuple[State, ...]:
    flags = {
        State.FAILED: bool(open_failures),
        State.DECISION: bool(open_decisions),
        State.CONFLICT: bool(link and Conflict.objects.filter(link=link, state="open").exists()),
    }
    if link:
        flags |= {
            State.WAITING: writing or link.dirty or link.dynamics is None or link.marketo is None,
            State.STOPPED: link.stopped,
            State.DELETED: link.dynamics_deleted or link.marketo_deleted,
        }
    elif alone is not None:
        flags |= _alone(alone, asked=flags[State.DECISION])
    return tuple(state for state in State if flags.get(state)) or (State.IN_STEP,)


def _alone(one: DynamicsRecord | MarketoPerson, *, asked: bool) -> dict[State, bool]:
    """How a record without a partner stands, as the list of people has it (``store/listing.py``)."""
    here, filtered = one.deleted_at is None, isinstance(one, DynamicsRecord) and one.filtered
    return {
        State.WAITING: here and one.due not in ("", "decision") and not filtered,
        State.DECISION: here and (asked or one.due == "decision"),
        State.STOPPED: filtered,
        State.DELETED: not here,
        State.ONLY_DYNAMICS: here and isinstance(one, DynamicsRecord),
        State.ONLY_MARKETO: here and isinstance(one, MarketoPerson),
    }


def _dynamics(link: Link | None, record: DynamicsRecord | None) -> SideRecord | None:
    if record is None:
        gone = link is not None and link.dynamics_deleted
        return _unseen(Side.DYNAMICS, link.table, link.dynamics, gone) if link else None
    gone = record.deleted_at is not None or (link is not None and link.dynamics_deleted)
    return SideRecord(
        side=Side.DYNAMICS,
        table=record.table,
        id=str(record.guid),
        name=record.name,
        email=record.email,
        seen_at=record.seen_at,
        modified_at=record.modified_at,
        deleted=gone,
        filtered=record.filtered,
        waits=record.wait_for or ("" if link else record.due),
    )


def _marketo(link: Link | None, person: MarketoPerson | None) -> SideRecord | None:
    if person is None:
        gone = link is not None and link.marketo_deleted
        return _unseen(Side.MARKETO, Table.PERSON, link.marketo, gone) if link else None
    gone = person.deleted_at is not None or (link is not None and link.marketo_deleted)
    return SideRecord(
        Side.MARKETO, Table.PERSON, str(person.person), person.name, person.email, person.seen_at, None, gone
    )


def _unseen(side: Side, table: str, key: Any, gone: bool) -> SideRecord | None:
    """A side that has an id but was not read yet: its create is under way."""
    return SideRecord(side, table, str(key), "", "", None, None, gone) if key is not None else None


def _write(write: PendingWrite) -> WaitingWrite:
    return WaitingWrite(write.side, write.op, write.state, write.decided_at, write.not_before, tuple(write.fields))
