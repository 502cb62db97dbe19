"""Where two values differ, as pieces: what both have, and what only one of them has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

# Short values are compared letter by letter; in longer ones whole words are easier to read, and quicker to find.
_BY_LETTER = 40
_BEFORE = 80
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """``alone``: the other value does not have this piece."""

    text: str
    alone: bool


def pieces(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts cut into pieces; joined again, each gives its text."""
    by_letter = max(len(one), len(other)) <= _BY_LETTER
    left, right = (list(one), list(other)) if by_letter else (_WORD.findall(one), _WORD.findall(other))
    steps = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    alike = sum(end - start for how, start, end, *_ in steps if how == "equal")
    # Two values with hardly a letter in common are read more easily as a whole.
    if by_letter and alike * 2 < max(len(one), len(other)):
        return _whole(one), _whole(other)
    return (
        tuple(Piece("".join(left[a:b]), how != "equal") for how, a, b, _c, _d in steps if b > a),
        tuple(Piece("".join(right[c:d]), how != "equal") for how, _a, _b, c, d in steps if d > c),
    )


def near(one: str, other: str, most: int) -> str:
    """Of a text that is longer than ``most`` the part where it begins to differ from the other one."""
    if len(one) <= most:
        return one
    alike = sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    # A little of what both have tells where in the text one is.
    begin = 0 if alike < most - _BEFORE else alike - _BEFORE
    return f"{'… ' if begin else ''}{one[begin : begin + most]}{'…' if begin + most < len(one) else ''}"


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, True),) if text else ()
