"""The pieces of a $filter or $orderby text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import invalid

_PIECE = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})(?![\w-])
    | (?P<date>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?)(?![\w-])
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w-])
    | (?P<alias>@\w+)
    | (?P<name>[A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)
    | (?P<mark>[()\[\],=:])
    | (?P<list>"(?:[^"\\]|\\.)*")
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: text, guid, date, number, alias, name, mark, list (a JSON string) or end."""

    kind: str
    value: Any
    at: int


def split(text: str) -> list[Token]:
    """Tokens of the text, ended by one of kind `end`; 400 where it makes no sense."""
    found, position = [], 0
    while text[position:].strip():
        match = _PIECE.match(text, position)
        if not match or not match.lastgroup:
            rest = text[position:].lstrip()
            at = len(text) - len(rest)
            if rest.startswith("'"):
                raise invalid(f"There is an unterminated literal at position {len(text)} in '{text}'.")
            raise invalid(f"Syntax error at position {at} in '{text}'.")
        raw, kind = match.group(match.lastgroup), match.lastgroup
        value = raw[1:-1].replace("''", "'") if kind == "text" else raw
        found.append(Token(kind, value, match.start(match.lastgroup)))
        position = match.end()
    return [*found, Token("end", "", len(text))]
