"""One line a record, its run, and no secret."""

from __future__ import annotations

import logging
import sys

import pytest

from syncadmin import logs

LINE = logs.OneLine(["correct-horse-battery", ""])


def written(message: str, *arguments: object, **more: object) -> str:
    record = logging.LogRecord("syncadmin.test", logging.INFO, __file__, 1, message, arguments, None)
    record.__dict__.update(more)
    return LINE.format(record)


def test_a_record_is_one_line_even_with_a_traceback() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        line = written("it broke\r\nhere", exc_info=sys.exc_info())
    assert "\n" not in line and "\r" not in line
    assert "it broke\\r\\nhere" in line
    assert "ValueError: first\\nsecond" in line


def test_it_names_the_run_it_belongs_to() -> None:
    assert "run=" not in written("outside")
    with logs.of_run(41):
        assert " run=41 " in written("inside")
    assert " run=7 " in written("given", run=7)
    assert "run=" not in written("outside again")


@pytest.mark.parametrize(
    "message",
    [
        "the key is correct-horse-battery.",
        "Authorization: Bearer correct.token",
        "{'Authorization': 'Bearer correct.token'}",
        "client_secret=correct.token&grant_type=client_credentials",
        '{"access_token": "correct.token", "expires_in": 3600}',
        "X-Sync-Key: correct.token",
        "connecting to postgresql://me:correct.token@db/people",
        "connecting to redis://:correct.token@127.0.0.1:6379/0",
    ],
)
def test_no_secret_is_written(message: str) -> None:
    line = written(message)
    assert "correct" not in line
    assert logs.HIDDEN in line


def test_ordinary_words_stay() -> None:
    assert written("%s bearers carried the 3 tokens", 2).endswith("2 bearers carried the 3 tokens")
