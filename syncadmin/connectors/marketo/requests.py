"""Builds the calls of the REST, bulk and identity APIs as values. Knows no socket and no token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from syncadmin.connectors.contract import ActivityType, NewField
from syncadmin.connectors.messages import Request

MOST_RECORDS = 300
MOST_NEW_FIELDS = 100
# The limit of a body is 1 MB; whether that means 1,000,000 or 1,048,576 is not said.
MOST_BYTES = 1_000_000

LEADS = "/rest/v1/leads.json"
LOG = "/rest/v1/activities/external.json"
SPLITTABLE = frozenset({LEADS, LOG})
_TYPES = "/rest/v1/activities/external/type"
_EXPORT = "/bulk/v1/leads/export"
_SCHEMA = "/rest/v1/leads/schema/fields.json"

# The server's own limits are 30, 60, 90 and 300 seconds; a client that gives up first never learns the outcome.
_PLAIN, _QUERY, _WRITE, _TOKEN, _FILE = 40.0, 70.0, 100.0, 310.0, 120.0

Params = Iterable[tuple[str, str]]


def token(client_id: str, client_secret: str) -> Request:
    """Asks for an access token; the secret stands in the address, which is therefore never logged."""
    grant = (("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", client_secret))
    return Request("GET", f"/identity/oauth/token?{urlencode(grant)}", signed=False, timeout=_PLAIN)


def leads_by(filter_type: str, values: Sequence[str], fields: Sequence[str], page: str = "") -> Request:
    """People by id or filter field. Always sent as a body: 300 ids and their fields outgrow an address of 8 KB."""
    query = [("filterType", filter_type), ("filterValues", ",".join(values)), ("fields", ",".join(fields))]
    return _long_get(LEADS, [*query, ("batchSize", str(MOST_RECORDS)), *_paged(page)], _QUERY)


def write_leads(action: str, lookup: str, rows: Sequence[bytes], partition: str = "") -> Request:
    """Creates or updates people from rows that are JSON already."""
    head: dict[str, Any] = {"action": action, "lookupField": lookup}
    if partition:
        head["partitionName"] = partition
    return _post(LEADS, head | {"input": [orjson.Fragment(row) for row in rows]}, timeout=_WRITE)


def describe() -> Request:
    return _get("/rest/v1/leads/describe.json")


def describe2() -> Request:
    return _get("/rest/v1/leads/describe2.json")


def schema_fields(page: str = "", size: int = MOST_RECORDS) -> Request:
    return _get(_SCHEMA, [("batchSize", str(size)), *_paged(page)])


def create_fields(fields: Sequence[NewField]) -> Request:
    rows = [
        {"displayName": field.label, "name": field.name, "dataType": field.kind}
        | ({"description": field.description} if field.description else {})
        for field in fields
    ]
    return _post(_SCHEMA, {"input": rows})


def paging_token(since: datetime) -> Request:
    return _get("/rest/v1/activities/pagingtoken.json", [("sinceDatetime", timestamp(since))], _TOKEN)


def lead_changes(page: str, fields: Sequence[str]) -> Request:
    query = [("nextPageToken", page), ("fields", ",".join(fields)), ("batchSize", str(MOST_RECORDS))]
    return _long_get("/rest/v1/activities/leadchanges.json", query, _PLAIN)


def activities(page: str, types: Sequence[int]) -> Request:
    wanted = ",".join(str(number) for number in types)
    query = [("nextPageToken", page), ("activityTypeIds", wanted), ("batchSize", str(MOST_RECORDS))]
    return _get("/rest/v1/activities.json", query)


def deleted_leads(page: str) -> Request:
    query = [("nextPageToken", page), ("batchSize", str(MOST_RECORDS))]
    return _get("/rest/v1/activities/deletedleads.json", query)


def activity_types() -> Request:
    return _get("/rest/v1/activities/types.json")


def custom_types() -> Request:
    return _get(f"{_TYPES}s.json")


def custom_type(api_name: str, *, draft: bool) -> Request:
    return _get(f"{_TYPES}/{quote(api_name, safe='')}/describe.json", [("draft", "true")] if draft else [])


def create_type(wanted: ActivityType) -> Request:
    api_name, name = wanted.primary
    body = {
        "apiName": wanted.api_name,
        "name": wanted.name,
        "triggerName": wanted.trigger_name,
        "filterName": wanted.filter_name,
        "description": wanted.description,
        "primaryAttribute": {"apiName": api_name, "name": name, "description": ""},
    }
    return _post(f"{_TYPES}.json", body)


def create_attributes(api_name: str, attributes: Sequence[tuple[str, str, str]]) -> Request:
    rows = [{"apiName": name, "name": label, "description": "", "dataType": kind} for name, label, kind in attributes]
    return _post(f"{_TYPES}/{quote(api_name, safe='')}/attributes/create.json", {"attributes": rows})


def approve_type(api_name: str) -> Request:
    return _post(f"{_TYPES}/{quote(api_name, safe='')}/approve.json", None)


def log(rows: Sequence[bytes]) -> Request:
    return _post(LOG, {"input": [orjson.Fragment(row) for row in rows]}, timeout=_WRITE)


def lists(page: str = "") -> Request:
    return _get("/rest/v1/lists.json", [("batchSize", str(MOST_RECORDS)), *_paged(page)])


def members(list_id: str, page: str = "") -> Request:
    query = [("fields", "id"), ("batchSize", str(MOST_RECORDS)), *_paged(page)]
    return _get(f"/rest/v1/lists/{quote(list_id, safe='')}/leads.json", query, _QUERY)


def partitions() -> Request:
    return _get("/rest/v1/leads/partitions.json")


def usage() -> Request:
    return _get("/rest/v1/stats/usage.json")


def create_export(fields: Sequence[str], since: datetime, until: datetime) -> Request:
    """People created in a window of at most 31 days, both ends included."""
    window = {"startAt": timestamp(since), "endAt": timestamp(until)}
    return _post(f"{_EXPORT}/create.json", {"fields": list(fields), "format": "CSV", "filter": {"createdAt": window}})


def enqueue_export(id: str) -> Request:
    # A second time is answered "already queued", so a lost answer costs nothing.
    return _post(f"{_EXPORT}/{quote(id, safe='')}/enqueue.json", None, safe=True)


def export_status(id: str) -> Request:
    return _get(f"{_EXPORT}/{quote(id, safe='')}/status.json")


def cancel_export(id: str) -> Request:
    return _post(f"{_EXPORT}/{quote(id, safe='')}/cancel.json", None, safe=True)


def export_file(id: str, start: int, length: int) -> Request:
    """A range of the file. 404 (not ready) and 416 (behind its end) are answers to be read."""
    return Request(
        "GET",
        f"{_EXPORT}/{quote(id, safe='')}/file.json",
        headers={"Range": f"bytes={start}-{start + length - 1}", "Accept": "*/*", "Accept-Encoding": "identity"},
        accepts=frozenset({404, 416}),
        timeout=_FILE,
    )


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC and whole seconds; a plus sign would have to be escaped, so Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _get(path: str, params: Params = (), timeout: float = _PLAIN) -> Request:
    query = urlencode(list(params))
    return Request("GET", f"{path}?{query}" if query else path, timeout=timeout)


def _long_get(path: str, params: Params, timeout: float) -> Request:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(list(params)).encode()
    return Request("POST", f"{path}?_method=GET", headers=headers, body=body, safe_to_repeat=True, timeout=timeout)


def _post(path: str, body: Any, *, safe: bool = False, timeout: float = _PLAIN) -> Request:
    # An empty object where nothing is to be said: no body at all may be taken for broken JSON (609).
    content = orjson.dumps({} if body is None else body)
    return Request(
        "POST",
        path,
        headers={"Content-Type": "application/json"},  # anything else is answered 612
        body=content,
        safe_to_repeat=safe,
        timeout=timeout,
    )


def _paged(page: str) -> list[tuple[str, str]]:
    return [("nextPageToken", page)] if page else []
