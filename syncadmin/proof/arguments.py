"""Numbers of a command line that make sense: nothing is proven by no schedule, nor measured in no round."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError

# What a shell says of a command that Ctrl-C ended.
STOPPED = 130


def count(text: str) -> int:
    """A whole number, one at least."""
    number = _number(text, int)
    if number < 1:
        raise ArgumentTypeError(f"{text} is too few: give 1 or more")
    return int(number)


def amount(text: str) -> float:
    """A number above zero that has an end."""
    number = _number(text, float)
    if not (math.isfinite(number) and number > 0):
        raise ArgumentTypeError(f"{text} will not do: give a number above 0")
    return number


def _number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no {'whole ' if kind is int else ''}number") from None
