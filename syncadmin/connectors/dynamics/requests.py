"""Builders: what is asked of Dataverse, as values. Nothing here sends anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from syncadmin.connectors.dynamics.batch import Part
from syncadmin.connectors.dynamics.names import ENTITY_SETS, guid, key_of
from syncadmin.connectors.messages import Request
from syncadmin.engine.records import Raw, Table

API = "api/data/v9.2/"
PAGE_SIZE = 5000  # the server's own maximum
WRITE_SECONDS = 120.0
# Values in one query: section 7 of the protocol names limits on conditions but no number for In.
IN_VALUES = 100
IN_CHARACTERS = 16_000
OR_VALUES = 50
_ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}
JSON_BODY = {"Content-Type": "application/json; charset=utf-8"}
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
_ANNOTATIONS = f'odata.include-annotations="{FORMATTED},{LOOKUP_TABLE}"'
COUNTED = "Microsoft.Dynamics.CRM.totalrecordcount"
COUNTED_MORE = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
_NOT_FOUND = frozenset({404})
_NOT_READ = frozenset({403, 404})


def token_request(tenant: str, client_id: str, client_secret: str, scope: str) -> Request:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": scope,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    path = f"{quote(tenant, safe='')}/oauth2/v2.0/token"
    # Asking for a token twice does no harm.
    return Request("POST", path, headers, urlencode(form).encode(), safe_to_repeat=True, signed=False, timeout=30.0)


def get(path: str, *, prefer: Sequence[str] = (), accepts: frozenset[int] = frozenset()) -> Request:
    headers = dict(_ODATA)
    if prefer:
        headers["Prefer"] = ",".join(prefer)
    return Request("GET", API + path, headers, accepts=accepts)


def unsigned() -> Request:
    """A call without a token, to see who answers: an organisation says 401."""
    return Request("GET", f"{API}WhoAmI", dict(_ODATA), accepts=frozenset({401}), signed=False, purpose="address")


def count(table: Table, condition: str = "") -> Request:
    """How many rows: the answer's count ends at 5,000 and an annotation says whether there are more."""
    path = query(ENTITY_SETS[table], select=key_of(table), filter=condition, count="true")
    return get(path, prefer=["odata.maxpagesize=1", f'odata.include-annotations="{COUNTED},{COUNTED_MORE}"'])


def total(table: Table) -> Request:
    names = quote(json.dumps([str(table)]), safe="")
    return get(f"RetrieveTotalRecordCount(EntityNames=@p)?@p={names}")


def definition(path: str) -> Request:
    """A read of metadata past the server's cache, which is half a minute behind a change of a column."""
    return Request("GET", API + path, {**_ODATA, "Consistency": "Strong"}, purpose="metadata")


def query(entity_set: str, **options: str) -> str:
    """A path with system query options; ``select`` becomes ``$select``, and every value is percent-encoded."""
    text = "&".join(f"${name}={quote(value, safe='(),')}" for name, value in options.items() if value)
    return f"{entity_set}?{text}" if text else entity_set


def tracked_page(table: Table, select: Sequence[str], *, size: int, annotated: bool) -> Request:
    """The first page of a full read that ends in a delta link."""
    return get(query(ENTITY_SETS[table], select=",".join(select)), prefer=_prefer(size, annotated, tracked=True))


def follow(link: str, *, size: int, annotated: bool, tracked: bool) -> Request:
    """A nextLink or deltaLink, verbatim, with the same preferences as the call that gave it."""
    headers = {**_ODATA, "Prefer": ",".join(_prefer(size, annotated, tracked=tracked))}
    return Request("GET", link, headers)


def modified_since(table: Table, select: Sequence[str], since: datetime, *, size: int, annotated: bool) -> Request:
    path = query(
        ENTITY_SETS[table],
        select=",".join(select),
        filter=f"modifiedon ge {instant(since)}",
        orderby=f"modifiedon asc,{key_of(table)} asc",
    )
    return get(path, prefer=_prefer(size, annotated))


def one(table: Table, id: str, select: Sequence[str], *, annotated: bool) -> Request:
    return get(row_path(table, id, select), prefer=_prefer(None, annotated), accepts=_NOT_READ)


def row_path(table: Table, id: str, select: Sequence[str]) -> str:
    return query(f"{ENTITY_SETS[table]}({guid(id)})", select=",".join(select))


def matching(table: Table, condition: str, select: Sequence[str], *, size: int, annotated: bool) -> Request:
    path = query(ENTITY_SETS[table], select=",".join(select), filter=condition)
    return get(path, prefer=_prefer(size, annotated))


def text_conditions(column: str, values: Sequence[str]) -> Iterator[str]:
    """Filters that together ask for all values of a text column, each short enough for one address."""
    chunk: list[str] = []
    length = 0
    for value in values:
        size = len(quote(json.dumps(value, ensure_ascii=False), safe="")) + 1
        if chunk and (len(chunk) == IN_VALUES or length + size > IN_CHARACTERS):
            yield _is_in(column, chunk)
            chunk, length = [], 0
        chunk.append(value)
        length += size
    if chunk:
        yield _is_in(column, chunk)


def _is_in(column: str, values: Sequence[str]) -> str:
    # The list is JSON inside the address; an apostrophe needs no doubling there, a quotation mark its backslash.
    listed = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues={listed})"


def id_conditions(column: str, ids: Sequence[str]) -> Iterator[str]:
    """The same for ids: lookups and keys take GUIDs bare, and ``In`` is documented for plain columns only."""
    return plain_conditions(column, [guid(id) for id in ids])


def plain_conditions(column: str, values: Sequence[str]) -> Iterator[str]:
    """The same for values that stand in a filter as they are: GUIDs and whole numbers."""
    for start in range(0, len(values), OR_VALUES):
        yield " or ".join(f"{column} eq {value}" for value in values[start : start + OR_VALUES])


def users(condition: str) -> Request:
    select = "systemuserid,fullname,internalemailaddress,domainname,isdisabled"
    return get(query("systemusers", select=select, filter=condition))


def user_condition(id: str, email: str) -> str:
    conditions = [f"systemuserid eq {guid(id)}"] if id else []
    if email:
        quoted = literal(email)
        conditions.append(f"(internalemailaddress eq {quoted} or domainname eq {quoted})")
    return " and ".join(conditions)


def create_multiple(table: Table, targets: bytes) -> Request:
    """``targets`` is the finished JSON body. Not repeated by the loop: the writer does, with smaller chunks."""
    path = f"{API}{ENTITY_SETS[table]}/Microsoft.Dynamics.CRM.CreateMultiple"
    return Request("POST", path, {**_ODATA, **JSON_BODY}, targets, timeout=WRITE_SECONDS)


def create_part(table: Table, body: bytes, *, detect_duplicates: bool) -> Part:
    headers = {**JSON_BODY, "Prefer": "return=representation"}
    if detect_duplicates:
        headers["MSCRM.SuppressDuplicateDetection"] = "false"
    return Part("POST", query(ENTITY_SETS[table], select=key_of(table)), headers, body)


def update_part(table: Table, id: str, body: bytes, version: str) -> Part:
    # Without If-Match a PATCH would create the record again after a delete.
    headers = {**JSON_BODY, "If-Match": version or "*", "Prefer": "return=representation"}
    return Part("PATCH", row_path(table, id, [key_of(table)]), headers, body)


def read_part(table: Table, id: str, select: Sequence[str], *, annotated: bool) -> Part:
    headers = {"Accept": "application/json"}
    if annotated:
        headers["Prefer"] = _ANNOTATIONS
    return Part("GET", row_path(table, id, select), headers)


def probe_write(table: Table, id: str) -> Request:
    """An update of a record that does not exist: 404 shows that the right to write is there."""
    headers = {**_ODATA, **JSON_BODY, "If-Match": "*"}
    path = f"{API}{ENTITY_SETS[table]}({guid(id)})"
    return Request("PATCH", path, headers, b'{"firstname":null}', safe_to_repeat=True, accepts=_NOT_FOUND)


def probe_create(table: Table, id: str) -> Request:
    """A create with the id of a record that exists: 412 shows that the right to create is there."""
    body = json.dumps({key_of(table): guid(id)}).encode()
    return Request("POST", API + ENTITY_SETS[table], {**_ODATA, **JSON_BODY}, body, accepts=frozenset({412}))


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def equals(column: str, value: Raw) -> str:
    """A filter for one value of a two-option, choice or text column; None asks for rows without a value."""
    if value is None or isinstance(value, bool):
        return f"{column} eq {json.dumps(value)}"
    return f"{column} eq {value if isinstance(value, int) else literal(str(value))}"


def instant(at: datetime) -> str:
    """A time as Dataverse compares it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _prefer(size: int | None, annotated: bool, *, tracked: bool = False) -> list[str]:
    wishes: Mapping[str, bool] = {
        "odata.track-changes": tracked,
        f"odata.maxpagesize={size}": size is not None,
        _ANNOTATIONS: annotated,
    }
    return [wish for wish, wanted in wishes.items() if wanted]
