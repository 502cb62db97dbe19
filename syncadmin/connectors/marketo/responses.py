"""Reads answers into values. Knows no socket; raises ``Malformed`` where an answer has a shape nobody can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from syncadmin.connectors.contract import StaticList, Usage
from syncadmin.connectors.errors import Malformed
from syncadmin.connectors.marketo import values
from syncadmin.connectors.marketo.values import Columns
from syncadmin.connectors.messages import Answer
from syncadmin.engine.records import Record, Ref, Table
from syncadmin.engine.schema import Kind

# Long answers are parsed once only: a failed call says so in its first or last bytes, never inside a record.
_FAILED = re.compile(rb'"success"\s*:\s*false')


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error of a failed call."""

    code: str
    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds every result. ``more`` is None where the answer did not say; not ``listed``: it said nothing of a result."""

    request_id: str
    result: list[Any]
    token: str
    more: bool | None
    listed: bool = True


def fault(answer: Answer) -> Fault | None:
    """The error of an answer that says ``success: false``, at any HTTP status."""
    if answer.body.lstrip()[:1] != b"{" or not _FAILED.search(answer.body):
        return None
    try:
        body = answer.object()
    except Malformed:
        return None  # the reader will say so; a cut answer is no error of Marketo's
    if body.get("success") is not False:
        return None
    code, message = first_reason(body.get("errors"))
    return Fault(code, message, str(body.get("requestId") or ""))


def envelope(answer: Answer) -> Envelope:
    """A successful answer; a missing ``result`` is an empty one."""
    body = answer.object()
    if body.get("success") is not True:
        raise Malformed("The answer does not say whether the call succeeded.", code=str(answer.status))
    result = body.get("result")
    if result is not None and not isinstance(result, list):
        raise Malformed(f"The result is a JSON {type(result).__name__}, not a list.", code=str(answer.status))
    more = body.get("moreResult")
    token = body.get("nextPageToken")
    return Envelope(
        request_id=str(body.get("requestId") or ""),
        result=result or [],
        token=token if isinstance(token, str) else "",
        more=more if isinstance(more, bool) else None,
        listed=result is not None or _says_none(body.get("warnings")),
    )


def _says_none(warnings: Any) -> bool:
    """Whether a warning that nothing was found ("No assets found …") stands in place of the result. Any other one says
    nothing about what the result would have been."""
    listed = warnings if isinstance(warnings, list) else []
    told = [each.get("message") if isinstance(each, dict) else each for each in listed]
    return any(str(text).strip().casefold().startswith("no ") for text in told)


def first_reason(reasons: Any) -> tuple[str, str]:
    """Code and message of the first error of a list; empty texts where there is none."""
    for reason in reasons if isinstance(reasons, list) else ():
        if isinstance(reason, dict):
            return str(reason.get("code") or ""), str(reason.get("message") or "")
    return "", ""


def people(rows: Iterable[Any], wanted: Sequence[str], columns: Columns) -> list[Record]:
    """Person rows as records. A field the row lacks stays absent. Raises ``Malformed`` for a row without an id."""
    kinds = [(name, values.kind_of(columns, name)) for name in wanted]
    return [_person(row, kinds) for row in rows]


def _person(row: Any, wanted: Sequence[tuple[str, Kind | None]]) -> Record:
    item = mapping(row)
    kept = {name: values.from_json(item[name], kind) for name, kind in wanted if name in item}
    return Record(Ref(Table.PERSON, person_id(item.get("id"))), kept, modified_at=values.instant(item.get("updatedAt")))


def person_id(value: Any) -> str:
    """A person's id as decimal text. Raises ``Malformed`` for anything that is none."""
    number = values.whole(value)
    if number is None or number < 0:
        raise Malformed(f"{str(value)[:80]!r} is no person id.")
    return str(number)


def mapping(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Malformed(f"A row of the result is a JSON {type(row).__name__}, not an object.")
    return row


def rows(value: Any) -> list[dict[str, Any]]:
    """A list of objects inside an answer; absent is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"A list was expected, a JSON {type(value).__name__} came.")
    return [mapping(row) for row in value]


def static_lists(result: Iterable[Any]) -> list[StaticList]:
    return [StaticList(str(row.get("id") or ""), str(row.get("name") or "")) for row in map(mapping, result)]


def names(result: Iterable[Any]) -> list[str]:
    return [str(row.get("name") or "") for row in map(mapping, result)]


def usage(result: Sequence[Any], user: str) -> Usage:
    """Today's calls; an account nobody has called yet today answers with no row."""
    if not result:
        return Usage(total=0, ours=0)
    today = mapping(result[0])
    ours = sum(
        _count(each.get("count"))
        for each in rows(today.get("users"))
        if str(each.get("userId")).lower() == user.lower()
    )
    return Usage(total=_count(today.get("total")), ours=ours)


def _count(value: Any) -> int:
    number = values.whole(value)
    if number is None:
        raise Malformed(f"{str(value)[:80]!r} is no number of calls.")
    return number
