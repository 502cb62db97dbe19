"""What a spreadsheet gets from us."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from syncadmin.web.exports import cell, stream_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+41 44 123", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "＝1", "＋1", "－1", "＠x"],
)
def test_a_text_that_would_be_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (-5, "-5"),
        (1.5, "1.5"),
        ("Ada = Byron", "Ada = Byron"),
        ("a\0b", "ab"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        ({"id": "7", "name": "=Owner"}, "'=Owner"),
    ],
)
def test_values_as_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_rows_are_made_while_the_file_is_sent() -> None:
    made: list[int] = []

    def rows() -> Iterator[tuple[int, str]]:
        for number in range(3):
            made.append(number)
            yield number, 'a "b", c\nd'

    answer = stream_csv("people", ["Number", "Text"], rows())
    assert made == []
    sent = iter(answer)
    assert next(sent) == "\ufeffNumber,Text\r\n".encode()
    assert made == []
    next(sent)
    assert made == [0]
    rest = b"".join(sent).decode()
    assert len(list(csv.reader(io.StringIO(rest)))) == 2
    assert answer.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
