from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.retry import LONGEST_SLEEP, MAX_TRIES, advised, pause

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ask(kind: type[errors.ConnectorError], *, attempt: int = 1, safe: bool = False, after: float | None = None,
        elapsed: float = 0.0) -> float | None:  # fmt: skip
    return pause(attempt, kind("x"), safe_to_repeat=safe, retry_after=after, elapsed=elapsed, rnd=0.0)


@pytest.mark.parametrize(
    ("kind", "unsafe", "safe"),
    [
        (errors.Unreachable, 0.5, 0.5),
        (errors.Throttled, 0.5, 0.5),
        (errors.Unavailable, 0.5, 0.5),
        (errors.NoAnswer, None, 0.5),
        (errors.Malformed, None, 0.5),
        (errors.BudgetSpent, None, None),
        (errors.DeadlineOver, None, None),
        (errors.QuotaSpent, None, None),
        (errors.SignInRefused, None, None),
        (errors.PermissionMissing, None, None),
        (errors.CursorExpired, None, None),
        (errors.Refused, None, None),
        (errors.TooLarge, None, None),
    ],
)
def test_each_error_says_whether_it_is_repeated(
    kind: type[errors.ConnectorError], unsafe: float | None, safe: float | None
) -> None:
    assert ask(kind, safe=False) == unsafe
    assert ask(kind, safe=True) == safe


def test_waits_double_and_tries_end() -> None:
    waits = [ask(errors.Unavailable, attempt=attempt) for attempt in range(1, MAX_TRIES + 1)]
    assert waits == [0.5, 1.0, 2.0, 4.0, None]


def test_advice_is_never_undercut_and_long_advice_is_not_slept() -> None:
    assert ask(errors.Throttled, after=7.0) == 7.0
    assert pause(1, errors.Throttled("x"), safe_to_repeat=False, retry_after=7, elapsed=0, rnd=0.9) == 7.9
    assert ask(errors.Throttled, after=LONGEST_SLEEP + 0.1) is None


def test_time_is_capped_as_well_as_tries() -> None:
    assert ask(errors.Unavailable, elapsed=59.0) == 0.5
    assert ask(errors.Unavailable, elapsed=59.6) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("37", 37),
        ("0", 0),
        ("1.5", 1.5),
        ("Mon, 02 Mar 2026 09:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 08:01:00 GMT", 0),
        ("-5", 0),
        ("99999999", 86400),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str, seconds: float) -> None:
    assert advised(header, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("header", [None, "", "soon"])
def test_no_or_unreadable_advice_is_none(header: str | None) -> None:
    assert advised(header, NOW) is None
