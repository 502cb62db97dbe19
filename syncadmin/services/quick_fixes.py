"""Mends that a failure's own page offers: an option mapped, a field shortened, a required column given a default.

Each is a new version of the field set with the failures it mends released; an administrator's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.engine.causes import Cause
from syncadmin.engine.convert_choices import add_text
from syncadmin.engine.defaults import fill
from syncadmin.engine.fields import FieldPair
from syncadmin.engine.schema import Column, Kind
from syncadmin.services import bulk_release, field_rules
from syncadmin.services.bulk_release import Which
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.queries.failures import FailureFilter, FailureRow

# Longer defaults do not fit where they are kept.
LONGEST = 255


class FixKind(StrEnum):
    OPTION = "option"
    SHORTEN = "shorten"
    DEFAULT = "default"


_KINDS: Mapping[str, FixKind] = {
    Cause.UNKNOWN_OPTION: FixKind.OPTION,
    Cause.TOO_LONG: FixKind.SHORTEN,
    Cause.REQUIRED_MISSING: FixKind.DEFAULT,
}
_CHOICES = frozenset({Kind.CHOICE, Kind.MULTICHOICE})
FIXABLE = frozenset(_KINDS)


class NotFitting(Exception):
    """What was given makes no sense here; nothing has changed. The text says why."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What can be done about a failure, and which failures with it. ``options`` are (value, label) to choose from."""

    kind: FixKind
    pair: FieldPair
    which: Which
    text: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def releases(self) -> int:
        return bulk_release.preview(self.which, "release").number


def offered(row: FailureRow) -> Fix | None:
    """The mend for this failure, if there is one and it is not in force already."""
    kind, pair = _KINDS.get(row.cause), _pair(row)
    if kind is None or pair is None or row.closed_at is not None:
        return None
    if kind is FixKind.SHORTEN:
        return None if pair.shorten else Fix(kind, pair, _alike(row))
    if kind is FixKind.DEFAULT:
        # A new record in Dynamics is what a default is for.
        return Fix(kind, pair, _alike(row), text=pair.default) if row.side == "dynamics" else None
    return _mapping(row, pair)


def _alike(row: FailureRow, value: str | None = None) -> Which:
    """What is mended with it: the open failures of the same field, or of the same column where no field was named."""
    named = {"key": row.key} if row.key else {"column": row.column, "table": row.table, "side": row.side}
    return Which(wanted=FailureFilter(cause=row.cause, state="", value=value, **named))


def _pair(row: FailureRow) -> FieldPair | None:
    """The pair at fault: named by its key, or, where a create lacks a column, by that column."""
    pairs = fieldsets.pairs(options.read().field_version)
    exact = next((pair for pair in pairs if row.key and pair.key == row.key), None)
    if exact is not None or not row.column:
        return exact
    table = row.table or row.key.partition(".")[0]
    return next((pair for pair in pairs if pair.table == table and pair.dynamics == row.column), None)


def _mapping(row: FailureRow, pair: FieldPair) -> Fix | None:
    """Only a text that is no option yet can be mapped; an option without a label has to get one in Dynamics."""
    column = _column(pair)
    text = row.value.get("value") if isinstance(row.value, Mapping) else None
    if row.side != "dynamics" or column is None or column.kind not in _CHOICES or not isinstance(text, str) or not text:
        return None
    offered = tuple((str(option.value), option.label) for option in column.options)
    return Fix(FixKind.OPTION, pair, _alike(row, text), text=text, options=offered)


def _column(pair: FieldPair) -> Column | None:
    known = schemas.load(pair.table)
    return known.columns.get(pair.dynamics) if known else None


@transaction.atomic
def apply(fix: Fix, given: str, who: str, now: datetime) -> int:
    """Changes the pair and releases what that mends; answers how many. ``given`` is an option's value or a default.

    Raises ``NotFitting``, or what ``field_rules.change`` raises.
    """
    field_rules.change(fix.pair.key, who=who, now=now, **_rules(fix, given.strip()))
    return bulk_release.release(fix.which, who, now)


def _rules(fix: Fix, given: str) -> dict[str, Any]:
    if fix.kind is FixKind.SHORTEN:
        return {"shorten": True}
    if fix.kind is FixKind.DEFAULT:
        return {"default": _template(given)}
    label = dict(fix.options).get(given)
    if label is None:
        raise NotFitting(gettext_noop("Choose one of the options."))
    return {"options": add_text(fix.pair.options, given, label, fix.text)}


def _template(given: str) -> str:
    if not given or len(given) > LONGEST:
        raise NotFitting(gettext_noop("Give a default of at most 255 characters."))
    try:
        fill(given, {})
    except ValueError as unknown:
        said = gettext_noop("Only {first name}, {last name}, {company} and {email} can stand between braces.")
        raise NotFitting(said) from unknown
    return given
