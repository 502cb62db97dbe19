"""What the form of one field pair sends, as a pair; shape only, whether it can work is judged by the services."""

from __future__ import annotations

from django.http import QueryDict

from syncadmin.engine.defaults import CONSENT
from syncadmin.engine.fields import Direction, FieldPair, Winner, pair_key
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Column, Kind

_WITH_OPTIONS = frozenset({Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS, Kind.BOOLEAN})
_LONGEST = 255


def has_options(column: Column) -> bool:
    """Whether an option map means anything for the column."""
    return column.kind in _WITH_OPTIONS and bool(column.options)


def pair_of(sent: QueryDict, table: Table, column: Column) -> FieldPair:
    """The pair somebody typed. A word that no rule has counts as the rule's default."""
    field = _text(sent, "marketo")[:100]
    direction, winner = sent.get("direction", ""), sent.get("winner", "")
    return FieldPair(
        pair_key(table, column.name, field),
        table,
        column.name,
        field,
        direction=Direction(direction) if direction in set(Direction) else Direction.BOTH,
        winner=Winner(winner) if winner in set(Winner) else Winner.TABLE,
        blanks_travel="blanks_travel" in sent,
        shorten="shorten" in sent,
        options=_options(sent, column),
        consent="consent" in sent and column.name in CONSENT,
        default=_text(sent, "default")[:_LONGEST],
    )


def _options(sent: QueryDict, column: Column) -> dict[str, str]:
    """Only what differs from the label is kept: a label that is renamed in Dynamics then goes on by its new name."""
    if not has_options(column):
        return {}
    typed = {str(option.value): _text(sent, f"option-{option.value}")[:_LONGEST] for option in column.options}
    labels = {str(option.value): option.label.strip() for option in column.options}
    return {value: text for value, text in typed.items() if text and text != labels[value]}


def _text(sent: QueryDict, name: str) -> str:
    return sent.get(name, "").strip().replace("\0", "")
