"""Reads the activity feeds: changed fields, new people, merges, list additions, deletions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from syncadmin.connectors.contract import Events, LeadChanges, Line, Listed, Merged, Page
from syncadmin.connectors.errors import ConnectorError, CursorExpired, Malformed, Refused
from syncadmin.connectors.marketo import values
from syncadmin.connectors.marketo.responses import Envelope, person_id, rows
from syncadmin.engine.records import Ref, Table

NEW_PERSON, CHANGED, LISTED, MERGED, DELETED = 12, 13, 24, 32, 37

# How a refused paging token is told is not documented; these are the codes for a wrong or missing parameter.
_BAD_TOKEN = frozenset({"701", "1001", "1002", "1003"})


def lead_changes(page: Envelope) -> LeadChanges:
    """A page of changes; new people are mixed in whatever fields were asked for."""
    read = rows(page.result)
    return LeadChanges(
        lines=tuple(line for row in read if _type(row) == CHANGED for line in _lines(row)),
        created=tuple(dict.fromkeys(_person(row) for row in read if _type(row) == NEW_PERSON)),
        token=_next(page),
        more=page.more is True,
    )


def events(page: Envelope) -> Events:
    read = rows(page.result)
    return Events(
        merged=tuple(_merged(row) for row in read if _type(row) == MERGED),
        listed=tuple(_listed(row) for row in read if _type(row) == LISTED),
        token=_next(page),
        more=page.more is True,
    )


def deleted(page: Envelope) -> Page:
    people = dict.fromkeys(_person(row) for row in rows(page.result))
    refs = tuple(Ref(Table.PERSON, person) for person in people)
    return Page(records=(), deleted=refs, cursor=_next(page), more=page.more is True)


def translated(error: Refused) -> ConnectorError:
    """``CursorExpired`` if the call was refused because of its token."""
    words = error.message.lower()
    if error.code in _BAD_TOKEN and ("token" in words or "field" not in words):
        return CursorExpired(error.message, code=error.code, request_id=error.request_id)
    return error


def _next(page: Envelope) -> str:
    if not page.token:
        raise Malformed("The feed did not say where to go on.", request_id=page.request_id)
    return page.token


def _type(row: dict[str, Any]) -> int:
    return values.whole(row.get("activityTypeId")) or 0


def _person(row: dict[str, Any]) -> str:
    return person_id(row.get("leadId"))


def _at(row: dict[str, Any]) -> datetime:
    at = values.instant(row.get("activityDate"))
    if at is None:
        raise Malformed(f"An activity has no readable date: {row.get('activityDate')!r}")
    return at


def _guid(row: dict[str, Any]) -> str:
    guid = row.get("marketoGUID") or row.get("id")
    if guid is None:
        raise Malformed("An activity has no identifier.")
    return str(guid)


def _lines(row: dict[str, Any]) -> Iterator[Line]:
    marks = _attributes(row)
    changes = rows(row.get("fields"))
    for change in changes:
        name = str(change.get("name") or "")
        yield Line(
            # One activity with several fields: each line needs a name of its own, the same at every reading.
            guid=_guid(row) if len(changes) == 1 else f"{_guid(row)}:{name}",
            person=_person(row),
            at=_at(row),
            field=name,
            old=_text(change.get("oldValue")),
            new=_text(change.get("newValue")),
            source=marks.get("source", ""),
            reason=marks.get("reason", ""),
            campaign=str(row.get("campaignId") or ""),
            request_id=marks.get("request id", ""),
        )


def _attributes(row: dict[str, Any]) -> dict[str, str]:
    """Attributes by lower-case name; which of them exist depends on the age of the account."""
    given = row.get("attributes")
    pairs = (
        given.items() if isinstance(given, dict) else [(each.get("name"), each.get("value")) for each in rows(given)]
    )
    return {str(name).strip().lower(): _text(value) or "" for name, value in pairs}


def _merged(row: dict[str, Any]) -> Merged:
    winner = _person(row)
    losers = (loser for loser in _ids(_attributes(row).get("merge ids", "")) if loser != winner)
    return Merged(guid=_guid(row), winner=winner, losers=tuple(dict.fromkeys(losers)), at=_at(row))


def _ids(text: str) -> list[str]:
    """Ids of ``[40392, 40393]``, with or without brackets, blanks and quotes. Raises ``Malformed``."""
    parts = text.strip().strip("[]").replace(";", ",").split(",")
    return [person_id(part.strip().strip("\"'")) for part in parts if part.strip()]


def _listed(row: dict[str, Any]) -> Listed:
    return Listed(
        guid=_guid(row), person=_person(row), list_id=str(row.get("primaryAttributeValueId") or ""), at=_at(row)
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
