"""Creates what is ours in an account: custom fields and the custom activity type. Both are permanent over there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncadmin.connectors.contract import ActivityType, NewField, Outcome, Status
from syncadmin.connectors.errors import Malformed, PermissionMissing, Refused
from syncadmin.connectors.marketo import codes, permissions, queries, requests, responses, values
from syncadmin.connectors.marketo.metadata import KINDS, names_by_fold
from syncadmin.connectors.marketo.responses import mapping
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.failures import Cause
from syncadmin.engine.schema import Kind, Schema

Send = Callable[[Request], Answer]

_TEXTUAL = frozenset({Kind.TEXT, Kind.MEMO, Kind.EMAIL, Kind.PHONE, Kind.URL})
_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
_LIMITS = {
    "1027": "The account has as many custom activity types as its contract allows. Delete one that is not used any "
    "more (Admin > Marketo Custom Activities), then try again.",
    "1028": "A custom activity type holds at most 20 attributes. Delete some that are not used any more (Admin > "
    "Marketo Custom Activities), then try again.",
}


def ensure_fields(send: Send, schema: Schema, wanted: Sequence[NewField]) -> list[Outcome]:
    """One outcome a field; ``column`` is the name it really has, which may differ in case from the one wanted."""
    have = names_by_fold(schema.columns)
    done: dict[str, Outcome] = {}
    for field in wanted:
        if (name := have.get(field.name.casefold())) is not None:
            done[field.name] = _taken_over(field, name, schema.columns[name].kind)
    missing = [field for field in wanted if field.name not in done]
    for start in range(0, len(missing), requests.MOST_NEW_FIELDS):
        done |= _create_fields(send, missing[start : start + requests.MOST_NEW_FIELDS])
    return [done[field.name] for field in wanted]


def _taken_over(field: NewField, name: str, kind: Kind) -> Outcome:
    if _family(kind) == _family(KINDS.get(field.kind, Kind.OTHER)):
        return Outcome(Status.EXISTS, column=name)
    message = f"The field {name} exists already, as {kind}, but {field.kind} is needed. Choose another name."
    return Outcome(Status.REFUSED, message=message, cause=Cause.COLUMN_RETYPED, column=name)


def _family(kind: Kind) -> frozenset[Kind]:
    return next((family for family in (_TEXTUAL, _NUMERIC) if kind in family), frozenset({kind}))


def _create_fields(send: Send, fields: Sequence[NewField]) -> dict[str, Outcome]:
    try:
        envelope = responses.envelope(send(requests.create_fields(fields)))
    except PermissionMissing as error:
        return {field.name: _not_allowed(field, error) for field in fields}
    except Refused as error:
        # One bad definition refuses the call; alone each field shows which.
        if len(fields) == 1:
            return {fields[0].name: _refused_field(fields[0], error.code, error.message, error.request_id)}
        return {name: each for field in fields for name, each in _create_fields(send, [field]).items()}
    if len(envelope.result) != len(fields):
        raise Malformed(f"{len(fields)} fields were sent, {len(envelope.result)} were answered.")
    return {
        field.name: _field_outcome(field, mapping(row), envelope.request_id)
        for field, row in zip(fields, envelope.result, strict=True)
    }


def _not_allowed(field: NewField, error: PermissionMissing) -> Outcome:
    by_hand = (
        f" Or create the field by hand: Admin > Field Management > New Custom Field, type {field.kind}, "
        f"name '{field.label}', API name '{field.name}'."
    )
    return Outcome(
        Status.REFUSED,
        code=error.code,
        message=permissions.recipe(permissions.WRITE_SCHEMA) + by_hand,
        cause=Cause.PERMISSION,
        column=field.name,
        request_id=error.request_id,
    )


def _field_outcome(field: NewField, row: Mapping[str, Any], request_id: str) -> Outcome:
    if row.get("status") == "created":
        return Outcome(Status.CREATED, column=str(row.get("name") or field.name), request_id=request_id)
    code, message = responses.first_reason(row.get("reasons") or row.get("errors"))
    return _refused_field(field, code, message, request_id)


def _refused_field(field: NewField, code: str, message: str, request_id: str) -> Outcome:
    # 1017 can also mean that another field has the same display name; then ours is still missing.
    exists = code == "1017" and field.name.casefold() in message.casefold()
    status = Status.EXISTS if exists else Status.REFUSED
    cause = "" if exists else codes.cause_of(code, message)
    return Outcome(status, code=code, message=message, cause=cause, column=field.name, request_id=request_id)


def ensure_activity_type(send: Send, wanted: ActivityType) -> int:
    """The id of the approved type with all attributes wanted. Raises ``PermissionMissing`` or ``Refused``."""
    try:
        return _ensure_type(send, wanted)
    except Refused as error:
        if error.code in _LIMITS:
            raise Refused(_LIMITS[error.code], code=error.code, request_id=error.request_id) from error
        raise


def _ensure_type(send: Send, wanted: ActivityType) -> int:
    known = responses.rows(queries.found(send, requests.custom_types()).result)
    found = next((row for row in known if _is_named(row, wanted.api_name)), None)
    if found is None:
        _result(send, requests.create_type(wanted))
        return _complete(send, wanted, wanted.api_name)
    name, state = str(found["apiName"]), _state(found)
    if state == "deleted":
        raise Refused(f"The custom activity type {name} was deleted. Choose another API name for ours.", code="1017")
    # A draft beside an approved version may be somebody's half-done work: approved only if we must add to it.
    if state.startswith("approved"):
        approved = _describe(send, name, draft=False)
        if not _missing(approved, wanted):
            return _id(approved, found)
    return _complete(send, wanted, name)


def _complete(send: Send, wanted: ActivityType, name: str) -> int:
    """Adds to the draft what it lacks, and approves it."""
    if missing := _missing(_describe(send, name, draft=True), wanted):
        _result(send, requests.create_attributes(name, missing))
    _result(send, requests.approve_type(name))
    return _id(_describe(send, name, draft=False))


def _describe(send: Send, name: str, *, draft: bool) -> Mapping[str, Any]:
    return _result(send, requests.custom_type(name, draft=draft))


def _result(send: Send, request: Request) -> Mapping[str, Any]:
    """The one row of an answer. A row that was skipped raises ``Refused``."""
    envelope = responses.envelope(send(request))
    if not envelope.result:
        raise Malformed(f"The answer to {request.path} is empty.", request_id=envelope.request_id)
    row = mapping(envelope.result[0])
    code, message = responses.first_reason(row.get("reasons") or row.get("errors"))
    if code:
        raise Refused(f"Marketo answered {code}: {message}", code=code, request_id=envelope.request_id)
    return row


def _missing(described: Mapping[str, Any], wanted: ActivityType) -> list[tuple[str, str, str]]:
    have = {str(each.get("apiName")).casefold() for each in responses.rows(described.get("attributes"))}
    return [attribute for attribute in wanted.attributes if attribute[0].casefold() not in have]


def _is_named(row: Mapping[str, Any], api_name: str) -> bool:
    return str(row.get("apiName")).casefold() == api_name.casefold()


def _state(row: Mapping[str, Any]) -> str:
    return str(row.get("status") or "").lower().replace("_", " ")


def _id(*rows: Mapping[str, Any]) -> int:
    number = next((number for row in rows if (number := values.whole(row.get("id"))) is not None), None)
    if number is None:
        raise Malformed("The custom activity type has no id.")
    return number
