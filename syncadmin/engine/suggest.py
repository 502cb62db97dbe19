"""Which Marketo field a Dynamics column would be paired with, and which option a text most likely stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncadmin.engine.defaults import CONSENT, default_pairs, offered_fields
from syncadmin.engine.mapping import FieldPair, pair_key
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Column, Schema


def suggestions(table: Table, here: Schema, people: Schema) -> dict[str, FieldPair]:
    """By column: the pair of the built-in sync, else a field of the same name or label."""
    offered = [field.pair for field in offered_fields(table) if field.name in people.columns]
    known = {pair.dynamics: pair for pair in (*offered, *default_pairs(table, here, people))}
    by_name: dict[str, str] = {}
    for field in people.columns.values():
        if field.readable and not (field.company_class and table is Table.CONTACT):
            by_name.setdefault(plain(field.label), field.name)
            by_name.setdefault(plain(field.name), field.name)
    for column in here.columns.values():
        found = by_name.get(plain(column.name)) or by_name.get(plain(column.label))
        if found and column.readable and column.name not in known:
            known[column.name] = a_pair(table, column.name, found)
    return known


def a_pair(table: Table, column: str, field: str) -> FieldPair:
    """A pair with the rules every pair starts with."""
    return FieldPair(pair_key(table, column, field), table, column, field, consent=column in CONSENT)


def plain(text: str) -> str:
    """What stays of a name when case, blanks and punctuation count for nothing; custom prefixes go."""
    prefix, _, rest = text.partition("_")
    bare = rest if rest and len(prefix) <= 8 and text == text.casefold() else text
    return "".join(letter for letter in bare.casefold() if letter.isalnum())


def match_options(column: Column, texts: Iterable[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The option map with each text that differs from a label in case or punctuation only given to that option."""
    by_label = {plain(option.label): str(option.value) for option in column.options}
    exact = {option.label.strip().casefold() for option in column.options}
    matched = dict(chosen)
    for text in texts:
        value = by_label.get(plain(text))
        if value is not None and text.strip().casefold() not in exact:
            matched.setdefault(value, text.strip())
    return matched
