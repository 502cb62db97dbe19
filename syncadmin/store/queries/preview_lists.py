"""The preview's lists: each planned value before and after, failures to expect, and what has to be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncadmin.store import text
from syncadmin.store.models import Decision, Failure
from syncadmin.store.planned_counts import KIND
from syncadmin.store.queries import decisions, failures, keys
from syncadmin.store.queries.preview import ChangeKind
from syncadmin.store.queries.sql import select

PAGE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the changes is to be shown; empty texts mean everything but our own fields."""

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
    """One value that will be written, with both sides before and after. ``write`` is the write it is part of."""

    write: int
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
LEFT JOIN store_marketoperson p
    ON p.person = CASE WHEN w.link_id IS NULL AND w.side = 'dynamics' THEN w.target::bigint END,
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
    if not wanted.kind:
        where.append("position('.@' in f.key) = 0")
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
        line.id,
        line.key,
        line.side,
        line.link,
        line.name,
        line.email,
        line.kind,
        line.rule,
        line.op == "create",
        here,
        there,
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
