"""What the preview's pages show: how far it has come, its numbers, and each planned value before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from syncadmin.engine.records import Table
from syncadmin.store import options, planned, planned_counts, text
from syncadmin.store.models import Decision, Failure
from syncadmin.store.planned import Plan
from syncadmin.store.planned_counts import KIND, Left, Read
from syncadmin.store.queries import decisions, failures, keys
from syncadmin.store.queries.sql import number, select

PAGE = 50


class ChangeKind(StrEnum):
    """What happens to one value over there."""

    NEW = "new"
    FILLED = "filled"
    REPLACED = "replaced"
    EMPTIED = "emptied"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class FieldCount:
    side: str
    key: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Collisions:
    """So many fields with two different filled values; ``winner`` is empty where somebody will be asked."""

    winner: str
    rule: str
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts stored last. ``whole`` says that nothing was left to read or to decide when they were made."""

    made_at: datetime | None = None
    whole: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    fields: tuple[FieldCount, ...] = ()
    collisions: tuple[Collisions, ...] = ()
    failures: tuple[tuple[str, int], ...] = ()

    def values(self, side: str) -> int:
        """Values that will be other than now on a side, those of new records and our own fields apart."""
        changed = (ChangeKind.FILLED, ChangeKind.REPLACED, ChangeKind.EMPTIED)
        return sum(row.number for row in self.fields if row.side == side and row.kind in changed)

    def of_kind(self, kind: str) -> int:
        return sum(row.number for row in self.fields if row.kind == kind)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a preview has come; ``share`` of the reading is None while no total is known."""

    plan: Plan | None
    started: bool
    reads: tuple[Read, ...]
    left: Left
    numbers: Numbers

    @property
    def read_all(self) -> bool:
        return all(read.done for read in self.reads)

    @property
    def at_work(self) -> bool:
        """Whether the numbers may still change without anything changing over there."""
        if self.plan is None or self.started:
            return False
        return self.plan.state != "plan" or not self.read_all or self.left.deciding or not self.numbers.whole


def standing() -> Standing:
    chosen = options.read()
    wanted = ((Table.LEAD, chosen.leads), (Table.CONTACT, chosen.contacts))
    tables = tuple(str(table) for table, on in wanted if on)
    return Standing(
        planned.plan(), chosen.started, tuple(planned_counts.reads(tables)), planned_counts.left(), numbers()
    )


def numbers() -> Numbers:
    known, made_at = planned.summary()
    if not known:
        return Numbers()
    return Numbers(
        made_at=made_at,
        whole=bool(known.get("whole")),
        counts={name: value for name, value in known.items() if isinstance(value, int)},
        fields=tuple(FieldCount(*row) for row in known["fields"]),
        collisions=tuple(Collisions(*row) for row in known["collisions"]),
        failures=tuple((cause, count) for cause, count in known["failures"]),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the changes is to be shown; empty texts mean everything."""

    side: str = ""
    key: str = ""
    kind: str = ""
    text: str = ""

    def kept(self) -> dict[str, str]:
        every = {"side": self.side, "field": self.key, "kind": self.kind, "q": self.text}
        return {name: value for name, value in every.items() if value}


@dataclass(frozen=True, slots=True)
class _Line:
    id: int
    key: str
    side: str
    op: str
    table: str
    link: int | None
    name: str
    email: str
    sent: Any
    raw: Any
    source: Any
    replaced: Any
    rule: str
    kind: str


@dataclass(frozen=True, slots=True)
class Change:
    """One value that will be written, with both sides before and after."""

    key: str
    side: str
    link: int | None
    name: str
    email: str
    kind: str
    rule: str
    creates: bool
    dynamics: tuple[Any, Any]
    marketo: tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class ChangePage:
    rows: tuple[Change, ...]
    following: str


# The name of the column a value goes to, out of the key "table.column:field".
_COLUMN = "CASE WHEN w.side = 'dynamics' THEN split_part(substr(f.key, position('.' in f.key) + 1), ':', 1) " \
          "ELSE split_part(f.key, ':', 2) END"  # fmt: skip
_CHANGES = f"""
SELECT w.id, f.key, w.side, w.op, w."table", w.link_id AS link,
       coalesce(l.name, p.name, '') AS name, coalesce(nullif(l.email, ''), p.email, w.email) AS email,
       f.told->'sent' AS sent, coalesce(w."values"->({_COLUMN}), f.told->'raw') AS raw,
       f.told->'source' AS source, f.told->'replaced' AS replaced, coalesce(f.told->>'rule', '') AS rule, {KIND} AS kind
FROM store_pendingwrite w
LEFT JOIN store_link l ON l.id = w.link_id
LEFT JOIN store_marketoperson p ON w.link_id IS NULL AND w.side = 'dynamics' AND p.person::text = w.target,
     jsonb_each(w.fields) AS f(key, told)
WHERE w.state = 'planned' AND w.op IN ('create', 'update') {{where}}
ORDER BY w.id, f.key LIMIT {PAGE + 1}
"""
_KINDS = {kind.value for kind in ChangeKind}


def changes(wanted: Wanted, after: str) -> ChangePage:
    """By person, as they were planned; ``after`` is the word of the page before."""
    where, params = _conditions(wanted, after)
    lines = select(_Line, _CHANGES.format(where="".join(f" AND {part}" for part in where)), params)
    following = keys.pack(lines[PAGE - 1].id, lines[PAGE - 1].key) if len(lines) > PAGE else ""
    return ChangePage(tuple(_change(line) for line in lines[:PAGE]), following)


def _conditions(wanted: Wanted, after: str) -> tuple[list[str], dict[str, Any]]:
    where, params = [], {}
    if wanted.side:
        where.append("w.side = %(side)s")
        params["side"] = wanted.side
    if wanted.key:
        where.append("w.fields ? %(key)s AND f.key = %(key)s")
        params["key"] = wanted.key
    if wanted.kind in _KINDS:
        where.append(f"({KIND}) = %(kind)s")
        params["kind"] = wanted.kind
    if wanted.text:
        where.append(
            "(l.name ILIKE %(text)s OR l.email ILIKE %(text)s OR p.name ILIKE %(text)s OR p.email ILIKE %(text)s)"
        )
        params["text"] = "%" + wanted.text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    place = keys.unpack(after, int, str)
    if place is not None:
        where.append("w.id >= %(id)s AND (w.id > %(id)s OR f.key > %(after)s)")
        params |= {"id": place[0], "after": place[1]}
    return where, params


def _change(line: _Line) -> Change:
    written = _as_sent(text.load(line.raw), text.load(line.sent))
    source, replaced = text.load(line.source), text.load(line.replaced)
    here, there = ((replaced, written), (source, source)) if line.side == "dynamics" else (
        (source, source), (replaced, written))  # fmt: skip
    return Change(
        line.key, line.side, line.link, line.name, line.email, line.kind, line.rule, line.op == "create", here, there
    )


def _as_sent(raw: Any, sent: Any) -> Any:
    """A text as it will be spelt; anything else as a person reads it, an option by its label."""
    return raw if isinstance(raw, str) and isinstance(sent, str) and raw.casefold() == sent.casefold() else sent


@dataclass(frozen=True, slots=True)
class ExpectedPage:
    rows: tuple[failures.FailureRow, ...]
    older: int | None


def expected(cause: str, before: int | None) -> ExpectedPage:
    """Failures to come, newest first."""
    chosen = Failure.objects.select_related("link").filter(cause=cause, closed_at__isnull=True).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = failures.rows(chosen[: PAGE + 1])
    return ExpectedPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


@dataclass(frozen=True, slots=True)
class UnclearPage:
    rows: tuple[decisions.DecisionRow, ...]
    older: int | None


def unclear(before: int | None) -> UnclearPage:
    """Who cannot be matched, and fields whose pair asks: what somebody will have to decide."""
    chosen = Decision.objects.select_related("link").filter(answered_at__isnull=True).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = decisions.rows(chosen[: PAGE + 1])
    return UnclearPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


@dataclass(frozen=True, slots=True)
class Going:
    """What is left of the first writes after a start. ``left_for`` is None before a rate can be told."""

    first: int
    left: int
    since: datetime
    left_for: timedelta | None

    @property
    def done(self) -> int:
        return max(0, self.first - self.left)

    @property
    def share(self) -> int:
        return 100 if not self.first else min(100, self.done * 100 // self.first)


def going(now: datetime) -> Going | None:
    """Progress of what was planned when the sync was started; None for a start without a preview."""
    plan = planned.plan()
    if plan is None or plan.started_at is None:
        return None
    left = number("SELECT count(*) FROM store_pendingwrite WHERE op IN ('create', 'update') AND decided_at <= %s",
                  [plan.started_at])  # fmt: skip
    done = max(0, plan.first_writes - left)
    passed = (now - plan.started_at).total_seconds()
    return Going(
        plan.first_writes, left, plan.started_at, timedelta(seconds=passed / done * left) if done and left else None
    )
