"""Reads that take several calls: people by id or field, split where one call is too much, and lists page by page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from syncadmin.connectors.errors import Malformed, Refused, TooLarge, Unavailable
from syncadmin.connectors.marketo import requests, responses
from syncadmin.connectors.marketo.responses import Envelope
from syncadmin.connectors.messages import Answer, Request

log = logging.getLogger(__name__)

Send = Callable[[Request], Answer]

_NOTHING_FOUND = "702"
_WIDE_BUCKET = "1003"


def found(send: Send, request: Request) -> Envelope:
    """The answer of a search; "no data found" is an empty one."""
    try:
        answer = send(request)
    except Refused as error:
        if error.code != _NOTHING_FOUND:
            raise
        return Envelope(error.request_id, [], "", None)
    return responses.envelope(answer)


def people(send: Send, column: str, wanted: Sequence[str], fields: Sequence[str]) -> list[Any]:
    """Rows of all people in which the column equals one of the values (as Marketo compares them)."""
    rows: list[Any] = []
    for start in range(0, len(wanted), requests.MOST_RECORDS):
        rows += _split(send, column, wanted[start : start + requests.MOST_RECORDS], fields)
    return rows


def askable(wanted: Sequence[str]) -> list[str]:
    """The values that can be asked for, each once. One with a comma cannot: a comma separates and has no escape."""
    kept: dict[str, str] = {}
    for text in map(str.strip, wanted):
        if text and "," not in text:
            kept.setdefault(text.casefold(), text)
    return list(kept.values())


def pages(send: Send, build: Callable[[str], Request]) -> Iterator[Any]:
    """Rows of all pages of a lead database list; a token means that there are more."""
    token, seen = "", set[str]()
    while True:
        page = found(send, build(token))
        # An empty list means nobody; no list at all must not, or a changed person would be passed over.
        if not page.listed:
            raise Malformed("The answer has no result.", request_id=page.request_id)
        yield from page.result
        if not page.token or page.more is False:
            return
        # Without this a server that repeats itself would keep a worker busy for ever.
        if page.token in seen:
            raise Malformed("The list's pages lead in a circle.", request_id=page.request_id)
        token = page.token
        seen.add(token)


def _split(send: Send, column: str, wanted: Sequence[str], fields: Sequence[str]) -> list[Any]:
    try:
        return list(pages(send, lambda token: requests.leads_by(column, wanted, fields, token)))
    except Refused as error:
        if not (isinstance(error, TooLarge) or error.code == _WIDE_BUCKET):
            raise
        if len(wanted) == 1:
            return _unsplittable(column, error)
    middle = len(wanted) // 2
    return _split(send, column, wanted[:middle], fields) + _split(send, column, wanted[middle:], fields)


def _unsplittable(column: str, error: Refused) -> list[Any]:
    if error.code == _WIDE_BUCKET and "too many" in error.message.lower():
        # More than 1,000 people share one value. Found nobody is safe: a create is checked by Marketo itself.
        log.warning("Marketo has too many people with one %s to list them", column)
        return []
    if error.code in ("604", "611"):
        raise Unavailable(error.message, code=error.code, request_id=error.request_id) from error
    raise error
