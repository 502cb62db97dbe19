"""Turns creates, updates and log entries into the rows of a call, or into the outcome why they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from syncadmin.connectors.contract import Create, LogEntry, Outcome, Update
from syncadmin.connectors.marketo import values
from syncadmin.connectors.marketo.requests import timestamp
from syncadmin.connectors.marketo.values import Columns, Unsendable
from syncadmin.connectors.marketo.writes import Row, refusal
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw

# The limit of an activity's attributes is 65,536 bytes; how their names and quotes count is not said.
LOG_BYTES = 60_000
_CUT = "…"

Sorted = tuple[list[Row], dict[int, Outcome]]


def creates(items: Sequence[Create], lookup: str, columns: Columns) -> Sorted:
    """Rows of ``createOnly``. Empty values are left out: a new person has none anyway."""
    rows: list[Row] = []
    refused: dict[int, Outcome] = {}
    for index, item in enumerate(items):
        # An id in a createOnly row is refused with 1003.
        kept = {name: value for name, value in item.values.items() if value is not None and name != "id"}
        if not str(kept.get(lookup, "")).strip():
            refused[index] = refusal(Cause.REQUIRED_MISSING, f"The person has no {lookup} to be known by.", lookup)
            continue
        _add(rows, refused, index, kept, columns, lookup)
    return rows, refused


def updates(items: Sequence[Update], columns: Columns) -> Sorted:
    """Rows of ``updateOnly`` by id; None empties a field."""
    rows: list[Row] = []
    refused: dict[int, Outcome] = {}
    for index, item in enumerate(items):
        if not (item.ref.id.isascii() and item.ref.id.isdigit()):
            refused[index] = refusal(Cause.WRONG_TYPE, f"{item.ref.id!r} is no person id.", "id")
            continue
        named: dict[str, Raw] = {**item.values, "id": int(item.ref.id)}
        _add(rows, refused, index, named, columns, "id", person=str(int(item.ref.id)))
    return rows, refused


def entries(items: Sequence[LogEntry]) -> Sorted:
    """Rows of custom activities, over-long attributes cut at a character."""
    rows: list[Row] = []
    refused: dict[int, Outcome] = {}
    for index, item in enumerate(items):
        if not (item.person.isascii() and item.person.isdigit()):
            refused[index] = refusal(Cause.WRONG_TYPE, f"{item.person!r} is no person id.", "leadId")
            continue
        body = {
            "leadId": int(item.person),
            "activityDate": timestamp(item.at),
            "activityTypeId": item.type_id,
            "primaryAttributeValue": _encodable(item.primary),
            "attributes": _attributes(item.attributes),
        }
        rows.append(Row(index, orjson.dumps(body), person=str(int(item.person))))
    return rows, refused


def _add(
    rows: list[Row],
    refused: dict[int, Outcome],
    index: int,
    named: Mapping[str, Raw],
    columns: Columns,
    lookup: str,
    person: str = "",
) -> None:
    try:
        body = values.row(named, columns)
    except Unsendable as error:
        refused[index] = refusal(error.cause, error.message, error.column)
        return
    keys = frozenset(
        f"{name}={str(named[name]).strip().casefold()}" for name in {lookup, "email"} if named.get(name) is not None
    )
    rows.append(Row(index, body, keys, frozenset(named) - {"id"}, person))


def _attributes(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    texts = {name: _encodable(text) for name, text in attributes.items()}
    while (excess := _size(texts) - LOG_BYTES) > 0 and any(texts.values()):
        longest = max(texts, key=lambda name: len(texts[name].encode()))
        texts[longest] = _shortened(texts[longest], excess)
    return _listed(texts)


def _shortened(text: str, by: int) -> str:
    """The text without about so many bytes of its JSON, in which a letter may take up to six."""
    raw, encoded = text.encode(), len(orjson.dumps(text))
    kept = raw[: len(raw) * max(0, encoded - by - 8) // encoded].decode(errors="ignore")
    return kept.removesuffix(_CUT) + _CUT if kept else ""


def _listed(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"apiName": name, "value": text} for name, text in texts.items()]


def _size(texts: Mapping[str, str]) -> int:
    return len(orjson.dumps(_listed(texts)))


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()
