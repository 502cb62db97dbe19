"""Columns and pairs that the engine's tests share."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from syncadmin.engine.fields import Bound, FieldPair, pair_key
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Option

BERLIN = ZoneInfo("Europe/Berlin")
SOURCES = (Option(1, "Web"), Option(2, "Trade Show"), Option(3, "Word of Mouth"))


def column(name: str = "jobtitle", kind: Kind = Kind.TEXT, table: Table = Table.LEAD, **rest: Any) -> Column:
    return Column(Side.DYNAMICS, table, name, name.title(), kind, **rest)


def field(name: str = "title", kind: Kind = Kind.TEXT, **rest: Any) -> Column:
    return Column(Side.MARKETO, Table.PERSON, name, name.title(), kind, **rest)


def bind(here: Column | None = None, there: Column | None = None, **rules: Any) -> Bound:
    here, there = here or column(), there or field()
    pair = FieldPair(pair_key(here.table, here.name, there.name), here.table, here.name, there.name, **rules)
    return Bound(pair, here, there, BERLIN)


def kinds(here: Kind, there: Kind = Kind.TEXT, /, **rules: Any) -> Bound:
    """A pair of two kinds, with the options of SOURCES where the column has options."""
    options = SOURCES if here in (Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS) else ()
    return bind(column("col", here, options=options), field("fld", there), **rules)
