"""A pair's two conversions to comparable form, chosen once for many values; the same forms as ``fields.comparable``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from syncadmin.engine import convert_text
from syncadmin.engine.fields import Bound, Form, comparable, form_of, places
from syncadmin.engine.records import Comparable, Raw, Side

Reader = Callable[[Raw], Comparable]
# Amounts, choices and truth values come again and again; texts of people do not.
_REMEMBERED = 512
_OFTEN = frozenset({Form.NUMBER, Form.TRUTH, Form.CHOICE, Form.MULTICHOICE})
_PLAIN: dict[Form, Reader] = {
    Form.TEXT: convert_text.text,
    Form.FOLDED: convert_text.folded,
    Form.GUID: convert_text.guid,
}


def reader(bound: Bound, side: Side) -> Reader:
    """What ``comparable(bound, side, raw)`` answers, as a function of the raw value. Raises ``Unconvertible``."""
    form = form_of(bound)
    if form in _PLAIN:
        return _PLAIN[form]
    if form is Form.NUMBER:
        slow: Reader = partial(_number, places(bound.column))
    else:
        slow = partial(comparable, bound, side)
    return _remembering(slow) if form in _OFTEN else slow


def _number(decimals: int | None, raw: Raw) -> Comparable:
    return convert_text.number(raw, decimals)


def _remembering(slow: Reader) -> Reader:
    """With the last few hundred answers kept. Types are told apart: 1, True and "1" may be read differently."""
    kept = lru_cache(maxsize=_REMEMBERED, typed=True)(slow)

    def read(raw: Raw) -> Comparable:
        return slow(raw) if isinstance(raw, dict | list) else kept(raw)

    return read
