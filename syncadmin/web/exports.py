"""Lists as CSV files: streamed row by row, and harmless when a spreadsheet opens them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.functional import Promise

# Spreadsheets run a cell that begins with one of these; the wide forms are what East Asian keyboards type.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Without it Excel takes UTF-8 for the machine's own code page.
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def stream_csv(name: str, headings: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Answers a file ``name`` (given without ``.csv``); ``rows`` is read while it is sent, so it may be endless.

    Cells are any values: texts are neutralised, times are ISO 8601, None is empty, true and false are words.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_lines(headings, rows), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(headings: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _MARK + writer.writerow([cell(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> str:
    """A value as one cell. A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value) if isinstance(value, str | Promise) else _plain(value)
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_RUNS) or text.startswith(_RUNS) else text


def _plain(value: Any) -> str:
    """A lookup is shown by its name; anything else that is no text as Python shows it."""
    return str(value.get("name") or value.get("id") or "") if isinstance(value, dict) else str(value)
