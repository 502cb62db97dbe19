"""What a bulk extract may ask for, and the file it gets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from . import activities as log
from .answers import ApiError, missing, moment, stamp
from .state import Person, State

SEPARATORS = {"CSV": ",", "TSV": "\t", "SSV": ";"}
FILE_TYPES = {"CSV": "text/csv", "TSV": "text/tab-separated-values", "SSV": "text/plain"}
_LONGEST = timedelta(days=31)
_EARLIEST = datetime(2007, 1, 1, tzinfo=UTC)
_LEAD_FILTERS = (
    "createdAt",
    "updatedAt",
    "staticListId",
    "staticListName",
    "smartListId",
    "smartListName",
)
_ACTIVITY_COLUMNS = (
    "marketoGUID",
    "leadId",
    "activityDate",
    "activityTypeId",
    "campaignId",
    "primaryAttributeValueId",
    "primaryAttributeValue",
    "attributes",
)
_MOST_PRIMARY = 50
Spec = dict[str, Any]


def lead_spec(state: State, body: dict[str, Any]) -> Spec:
    """The checked order of a lead extract; ApiError says what is wrong with it."""
    fields = body.get("fields")
    if not isinstance(fields, list) or not fields:
        raise missing("fields")
    bad = [name for name in fields if not isinstance(name, str) or state.fields.get(name) is None]
    if bad:
        raise ApiError(1003, f"Invalid fields [{', '.join(map(str, bad))}]")
    given = body.get("filter")
    # Lead extracts take exactly one filter; two are refused, not combined.
    if not isinstance(given, dict) or len(given) != 1:
        raise ApiError(1003, "Invalid filter: exactly one is required")
    name, value = next(iter(given.items()))
    if name not in _LEAD_FILTERS:
        raise ApiError(1003, f"Invalid filter '{name}'")
    return _common(body) | {"fields": fields, "filter": {name: _lead_filter(state, name, value)}}


def _lead_filter(state: State, name: str, value: Any) -> Any:
    knobs = state.knobs
    if (name == "updatedAt" and not knobs.bulk_updated_at) or (name.startswith("smart") and not knobs.bulk_smart_lists):
        raise ApiError(1035, "Unsupported filter type for target subscription")
    if name in ("createdAt", "updatedAt"):
        return _range(value)
    if name == "staticListName":
        value = next((id for id, row in state.lists.items() if row["name"] == value), None)
    if name.startswith("smart") or value is None or str(value) not in state.lists:
        raise ApiError(1013, f"Object not found: {name}")
    return str(value)


def _common(body: dict[str, Any]) -> Spec:
    form = str(body.get("format") or "CSV").upper()
    if form not in SEPARATORS:
        raise ApiError(1003, f"Invalid value for field 'format' and value '{body['format']}'")
    names = body.get("columnHeaderNames") or {}
    if not isinstance(names, dict):
        raise ApiError(1003, "Invalid value for field 'columnHeaderNames'")
    return {"format": form, "names": names}


def _range(value: Any) -> list[str]:
    """Both ends inclusive, whole seconds, no longer than 31 days."""
    ends = []
    for name in ("startAt", "endAt"):
        text = value.get(name) if isinstance(value, dict) else None
        if not text:
            raise missing(name)
        try:
            if "." in str(text):
                raise ValueError("no fractions of a second here")
            ends.append(moment(str(text)))
        except ValueError:
            raise ApiError(1001, f"Invalid value '{text}'. Required of type 'DateTime'") from None
    if not _EARLIEST <= ends[0] <= ends[1] or ends[1] - ends[0] > _LONGEST:
        raise ApiError(1003, "Invalid date range: at most 31 days, from 2007 on, start before end")
    return [stamp(end) for end in ends]


def activity_spec(state: State, body: dict[str, Any]) -> Spec:
    """The checked order of an activity extract."""
    given = body.get("filter")
    if not isinstance(given, dict) or "createdAt" not in given:
        raise missing("createdAt")
    # Ids or names of primary attributes, never both.
    unknown = set(given) - {"createdAt", "activityTypeIds", "primaryAttributeValueIds", "primaryAttributeValues"}
    if unknown or len(set(given) & {"primaryAttributeValueIds", "primaryAttributeValues"}) > 1:
        raise ApiError(1003, f"Invalid filter {sorted(unknown)}")
    kinds = [str(kind) for kind in given.get("activityTypeIds") or []]
    if str(log.DELETE) in kinds:
        raise ApiError(1003, "Invalid value for field 'activityTypeIds': deletions cannot be extracted")
    columns = body.get("fields") or list(_ACTIVITY_COLUMNS)
    bad = [name for name in columns if name not in (*_ACTIVITY_COLUMNS, "actionResult")]
    if bad:
        raise ApiError(1003, f"Invalid fields [{', '.join(map(str, bad))}]")
    primary = {name: [str(value) for value in given[name]] for name in given if name.startswith("primary")}
    if any(len(values) > _MOST_PRIMARY for values in primary.values()) or (primary and not kinds):
        raise ApiError(1003, "Invalid filter: primary attribute values need their activityTypeIds, at most 50 of them")
    wanted = {"createdAt": _range(given["createdAt"]), "activityTypeIds": kinds, **primary}
    return _common(body) | {"fields": columns, "filter": wanted}


def write(state: State, kind: str, spec: Spec) -> tuple[int, bytes]:
    """(rows, file). Empty values are the text null, as the vendor writes them."""
    rows = _people(state, spec) if kind == "leads" else _activities(state, spec)
    text = io.StringIO()
    # Rows are separated by a line feed alone; quotes are doubled.
    writer = csv.writer(text, delimiter=SEPARATORS[spec["format"]], lineterminator="\n")
    writer.writerow([spec["names"].get(name, name) for name in spec["fields"]])
    count = 0
    for row in rows:
        writer.writerow(["null" if value is None else _cell(value) for value in row])
        count += 1
    return count, text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _people(state: State, spec: Spec) -> Iterator[list[Any]]:
    fields = [state.fields.get(name) for name in spec["fields"]]
    for row in _chosen(state, spec["filter"]):
        yield [None if field is None else state.value(row, field) for field in fields]


def _chosen(state: State, wanted: dict[str, Any]) -> Iterable[Person]:
    name, value = next(iter(wanted.items()))
    if name.startswith("static"):
        return (state.people[id] for id in sorted(state.on(value), key=int))
    # The filter looks at the newest change of any field, unlike the visible updatedAt.
    key = "_touched" if name == "updatedAt" else "createdAt"
    start, end = value
    return (row for row in state.people.values() if start <= row[key] <= end)


def _activities(state: State, spec: Spec) -> Iterator[list[Any]]:
    wanted = spec["filter"]
    start, end = wanted["createdAt"]
    kinds = set(wanted["activityTypeIds"])
    ids, names = set(wanted.get("primaryAttributeValueIds", ())), set(wanted.get("primaryAttributeValues", ()))
    for row in state.log.every():
        if not start <= row["d"] <= end or row["t"] == log.DELETE or (kinds and str(row["t"]) not in kinds):
            continue
        if (ids and str(row.get("i")) not in ids) or (names and str(row.get("p")) not in names):
            continue
        cells = {
            "marketoGUID": row["g"],
            "leadId": row["l"],
            "activityDate": row["d"],
            "activityTypeId": row["t"],
            "campaignId": row.get("c"),
            "primaryAttributeValueId": row.get("i"),
            "primaryAttributeValue": row.get("p"),
            "attributes": json.dumps(row.get("a", {}), ensure_ascii=False, separators=(",", ":")),
            "actionResult": "succeeded",
        }
        yield [cells[name] for name in spec["fields"]]
