"""Both sides of a comparison: columns and literals in the form in which the database compares them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import invalid, unknown_column
from .schema import LOOKUPS, TEXTS, Column, Table
from .state import Row, State
from .text import fold
from .tokens import Token
from .values import moment

Reader = Callable[[Row], Any]
_CONSTANTS: dict[str, tuple[str, Any]] = {"true": ("bool", True), "false": ("bool", False), "null": ("null", None)}
_FITTING = {
    "Edm.String": {"text"},
    "Edm.Guid": {"guid"},
    "Edm.Boolean": {"bool"},
    "Edm.DateTimeOffset": {"date"},
    "Edm.Date": {"date"},
}
_EDM_OF = {
    "text": "Edm.String",
    "guid": "Edm.Guid",
    "bool": "Edm.Boolean",
    "date": "Edm.DateTimeOffset",
    "number": "Edm.Int32",
}


@dataclass(frozen=True, slots=True)
class Operand:
    """`column` None: a literal, whose value `read` gives for any row; `kind` then says which."""

    read: Reader
    column: Column | None = None
    kind: str = "column"
    direct: bool = False


def comparable(column: Column, value: Any) -> Any:
    """A stored value as it is compared and sorted."""
    if value is None:
        return None
    if column.type in TEXTS:
        return fold(value)
    if column.type == "DateTime":
        return value.rstrip("Z")
    return Decimal(value) if column.type in ("Money", "Decimal") else value


def literal(token: Token) -> Operand:
    kind, value = token.kind, token.value
    if kind == "name" and value in _CONSTANTS:
        kind, value = _CONSTANTS[value]
    elif kind == "text":
        value = fold(value)
    elif kind == "guid":
        value = value.lower()
    elif kind == "date":
        value = _date(value)
    elif kind == "number":
        value = Decimal(value) if re.search(r"[.eE]", value) else int(value)
    return Operand(lambda row: value, None, kind)


def _date(text: str) -> str:
    found = moment(text)
    if found is None:
        raise invalid(f"The date-time literal '{text}' is not valid.")
    fraction = re.search(r"\.(\d+)", text)
    return found.rstrip("Z") + (fraction.group(0).rstrip("0").rstrip(".") if fraction else "")


def column(state: State, table: Table, path: str) -> Operand:
    """`emailaddress1`, `_ownerid_value`, or a path through single-valued navigation."""
    *steps, last = path.split("/")
    hops: list[tuple[str, str]] = []
    here = table
    for step in steps:
        through, targets = here.by_navigation.get(step, (None, ("",)))
        if through is None or targets[0] not in state.schema.tables:
            raise unknown_column(here.name, step)
        hops.append((through.name, targets[0]))
        here = state.schema.tables[targets[0]]
    found = here.by_wire.get(last)
    if found is None:
        found = _by_navigation(here, last)
    return Operand(_reader(state, found, hops), found, direct=not hops)


def _by_navigation(table: Table, name: str) -> Column:
    # A few clients write `ownerid eq <guid>` instead of `_ownerid_value`; the server takes both.
    column = table.columns.get(name)
    if column is None or column.type not in LOOKUPS:
        raise unknown_column(table.name, name)
    return column


def _reader(state: State, found: Column, hops: list[tuple[str, str]]) -> Reader:
    name, rstrip = found.name, found.type == "DateTime"
    if not hops and not rstrip and found.type not in TEXTS and found.type not in ("Money", "Decimal"):
        return lambda row: row.get(name)
    if not hops:
        return lambda row: comparable(found, row.get(name))

    def through(row: Row) -> Any:
        here: Row | None = row
        for column_name, target in hops:
            if here is None or column_name not in here:
                return None
            here = state.get(here.get(f"{column_name}@type", target), here[column_name])
        return None if here is None else comparable(found, here.get(name))

    return through


def check(left: Operand, right: Operand) -> None:
    """400 if the two cannot be compared."""
    for one, other in ((left, right), (right, left)):
        if one.column is None or other.column is not None or other.kind == "null":
            continue
        if other.kind not in _FITTING.get(one.column.edm, {"number"}):
            raise invalid(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{one.column.edm}' and '{_EDM_OF.get(other.kind, 'Edm.Null')}' for operator kind 'Equal'."
            )


def like(pattern: str, function: str) -> Callable[[str], bool]:
    """contains, startswith or endswith with the wildcards of the database: % _ [ ]"""
    if not re.search(r"[%_\[\]]", pattern):
        plain: dict[str, Callable[[str], bool]] = {
            "contains": lambda text: pattern in text,
            "startswith": lambda text: text.startswith(pattern),
            "endswith": lambda text: text.endswith(pattern),
        }
        return plain[function]
    pieces = re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL)
    inner = "".join({"%": ".*", "_": "."}.get(piece, _piece(piece)) for piece in pieces)
    before = "" if function == "startswith" else ".*"
    after = "" if function == "endswith" else ".*"
    expression = re.compile(f"{before}{inner}{after}", re.DOTALL)
    return lambda text: expression.fullmatch(text) is not None


def _piece(piece: str) -> str:
    if len(piece) > 2 and piece.startswith("["):
        inner = piece[1:-1].replace("\\", "\\\\")
        return f"[{inner}]"
    return re.escape(piece)
