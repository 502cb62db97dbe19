"""Readers: what Dataverse answered, as records, pages and outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncadmin.connectors.contract import Outcome, Page, Status, User
from syncadmin.connectors.dynamics.names import LOOKUPS, first_guid, guid, is_guid, key_of, property_of
from syncadmin.connectors.dynamics.refusals import KEY_EXISTS, OWNER_LACKS_RIGHTS, USER_DISABLED, Refusal, refusal
from syncadmin.connectors.dynamics.requests import COUNTED_MORE, FORMATTED, LOOKUP_TABLE
from syncadmin.connectors.errors import Malformed
from syncadmin.connectors.messages import Answer
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw, Record, Ref, Table
from syncadmin.engine.schema import Column, Kind, Schema

_DECIMALS = frozenset({Kind.DECIMAL, Kind.MONEY})
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")

MOST_COUNTED = 5000  # where the server stops counting


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """The rows of a collection. Raises ``Malformed``."""
    rows = answer.object().get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Malformed("The answer has no list of rows.", code=str(answer.status))
    return rows


def next_link(answer: Answer) -> str:
    return _link(answer.object(), "@odata.nextLink")


def count(answer: Answer) -> int:
    """The count of an answer; 5,001 where the server says that there are more than it counts."""
    body = answer.object()
    number, more = body.get("@odata.count"), body.get(f"@{COUNTED_MORE}")
    if not isinstance(number, int):
        raise Malformed("The answer holds no count.")
    return MOST_COUNTED + 1 if more is True else number


def total(answer: Answer) -> int:
    """The one number of a RetrieveTotalRecordCount."""
    found = answer.object().get("EntityRecordCountCollection")
    values = found.get("Values") if isinstance(found, dict) else None
    if not isinstance(values, list) or len(values) != 1 or not isinstance(values[0], int):
        raise Malformed("The answer holds no total.")
    return values[0]


def page(answer: Answer, table: Table, columns: Sequence[str], schema: Schema, *, tracked: bool) -> Page:
    """One page; a tracked read's last page must bring a delta link. Raises ``Malformed``."""
    body = answer.object()
    rows = rows_of(answer)
    following, delta = _link(body, "@odata.nextLink"), _link(body, "@odata.deltaLink")
    if tracked and not following and not delta:
        raise Malformed("A tracked read ended without a delta link.", code=str(answer.status))
    deleted = tuple(Ref(table, _deleted_id(row)) for row in rows if _is_deleted(row))
    records = tuple(record(row, table, columns, schema) for row in rows if not _is_deleted(row))
    return Page(records, deleted, following or delta, bool(following))


def _link(body: Mapping[str, Any], name: str) -> str:
    link = body.get(name)
    return link if isinstance(link, str) else ""


def _is_deleted(row: Mapping[str, Any]) -> bool:
    # Either mark is enough: taking a notice for a row would fail the whole page.
    context = row.get("@odata.context")
    return (isinstance(context, str) and context.endswith("$deletedEntity")) or row.get("reason") == "deleted"


def _deleted_id(row: Mapping[str, Any]) -> str:
    id = first_guid(str(row.get("id", "")))
    if not id:
        raise Malformed("A deleted entry has no id.")
    return id


def record(row: Mapping[str, Any], table: Table, columns: Sequence[str], schema: Schema) -> Record:
    """A row's selected columns; those the answer lacks, or holds in a shape nobody knows, are left out."""
    id = row.get(key_of(table))
    if not isinstance(id, str) or not is_guid(id):
        raise Malformed(f"A row of {table} has no id.")
    values: dict[str, Raw] = {}
    for name in columns:
        column = schema.columns.get(name)
        if column is not None and (source := property_of(name, column.kind)) in row:
            _put(values, name, column, row, source)
    version = row.get("@odata.etag")
    return Record(
        Ref(table, guid(id)), values, version if isinstance(version, str) else "", _time(row.get("modifiedon"))
    )


def _put(values: dict[str, Raw], name: str, column: Column, row: Mapping[str, Any], source: str) -> None:
    value = row[source]
    if isinstance(value, dict | list):
        return
    if column.kind in LOOKUPS:
        values[name] = _lookup(row, source, column)
    elif column.kind in _DECIMALS and isinstance(value, int | str) and not isinstance(value, bool):
        values[name] = decimal_text(value)
    else:
        values[name] = value


def _lookup(row: Mapping[str, Any], source: str, column: Column) -> Raw:
    id = row[source]
    if not isinstance(id, str) or not id:
        return None
    only = column.targets[0] if len(column.targets) == 1 else None
    table, name = row.get(f"{source}@{LOOKUP_TABLE}", only), row.get(f"{source}@{FORMATTED}")
    return {"id": id.strip("{}").lower(), "table": _text(table), "name": _text(name)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def decimal_text(value: int | str) -> str:
    """A number as decimal text without exponent: "1E+3" is "1000", "5000000.0000" keeps its zeros."""
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        return text
    try:
        return format(Decimal(text), "f")
    except InvalidOperation:
        return text


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def users(answer: Answer) -> list[User]:
    return [
        User(
            id=first_guid(str(row.get("systemuserid", ""))),
            name=str(row.get("fullname") or ""),
            email=str(row.get("internalemailaddress") or row.get("domainname") or ""),
            disabled=row.get("isdisabled") is True,
        )
        for row in rows_of(answer)
    ]


def says_gone(answer: Answer, ref: Ref) -> bool:
    """Whether this 404 is Dataverse's word that just this record does not exist, not that a path is wrong."""
    said = refusal(answer)
    named = first_guid(said.message)
    return said.status == 404 and said.verdict()[0] is Status.GONE and named in ("", ref.id)


def outcome(answer: Answer, ref: Ref, done: Status, values: Mapping[str, Raw]) -> Outcome:
    """What became of one record of a batch."""
    request_id = answer.headers.get("req_id", "")
    if 200 <= answer.status < 300:
        return Outcome(done, ref, version_of(answer), request_id=request_id)
    return refused(refusal(answer), ref, done, values)


def refused(said: Refusal, ref: Ref, done: Status, values: Mapping[str, Raw]) -> Outcome:
    """The outcome of an error answer, a missing bound record told from a missing record."""
    status, cause = said.verdict()
    column = said.column or _holder_of_literal(said.message, values)
    if status is Status.GONE and not _is_about(said, ref, done, values):
        status, cause, column = Status.REFUSED, Cause.OWNER_UNKNOWN, "ownerid" if "ownerid" in values else ""
    if said.code in OWNER_LACKS_RIGHTS:
        column = "ownerid"
    if said.code in USER_DISABLED and _is_the_owner(first_guid(said.message), values):
        cause, column = Cause.OWNER_DISABLED, "ownerid"
    # A refused create leaves no record to name, but for the one that is there under our own id.
    ours = status is Status.EXISTS and said.code == KEY_EXISTS and "entity key" not in said.message.lower()
    return Outcome(
        status,
        ref if ours or done is Status.UPDATED else None,
        code=said.code or str(said.status),
        message=said.message,
        cause=cause,
        column=column,
        request_id=said.request_id,
    )


def _is_the_owner(id: str, values: Mapping[str, Raw]) -> bool:
    owner = values.get("ownerid")
    return isinstance(owner, dict) and id in ("", str(owner.get("id")).lower())


def _is_about(said: Refusal, ref: Ref, done: Status, values: Mapping[str, Raw]) -> bool:
    if done is Status.CREATED:
        return False  # what is missing is a record the new one points to
    named = first_guid(said.message)
    return named == ref.id if named else not any(isinstance(value, dict) for value in values.values())


def _holder_of_literal(message: str, values: Mapping[str, Raw]) -> str:
    """The one column that holds the literal an error quotes; a wrong type is reported without its column."""
    quoted = re.search(r"literal '([^']*)'", message)
    if not quoted:
        return ""
    holders = [name for name, value in values.items() if str(value) == quoted.group(1)]
    return holders[0] if len(holders) == 1 else ""


def version_of(answer: Answer) -> str:
    """The ETag of a representation: its header, or the annotation in the body."""
    if tag := answer.headers.get("etag"):
        return tag
    if not answer.body.strip():
        return ""
    tag = answer.object().get("@odata.etag")
    return tag if isinstance(tag, str) else ""
