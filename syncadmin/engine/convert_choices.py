"""Choices: options travel as the labels of the organisation's base language, or as the pair's option map says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from syncadmin.engine.causes import Cause
from syncadmin.engine.convert_text import folded, text, truth, wrong_type
from syncadmin.engine.mapping import Bound, Unconvertible
from syncadmin.engine.records import Raw, Side
from syncadmin.engine.schema import Kind

# Stands before an option value whose label is unknown, so that it equals no label and fails when it has to travel.
_UNKNOWN = "option "
_CHOICES = frozenset({Kind.CHOICE, Kind.STATE, Kind.STATUS})


# Several texts may stand for one option; the first of them is what Marketo is sent.
_BETWEEN = "\n"


def add_text(known: Mapping[str, str], value: str, label: str, text: str) -> dict[str, str]:
    """An option map in which ``text`` stands for the option as well, and for no other."""
    wanted = text.strip().casefold()
    others = {
        number: _BETWEEN.join(words for words in texts.split(_BETWEEN) if words.strip().casefold() != wanted)
        for number, texts in known.items()
    }
    return {**{number: texts for number, texts in others.items() if texts}, value: f"{known.get(value, label)}\n{text}"}


def _texts(bound: Bound) -> Iterator[tuple[str, str]]:
    """(option value, Marketo text) of every option, the pair's own map first."""
    own = bound.pair.options
    # The map may rename an option or name one that metadata does not list; labels fill in the rest.
    yield from ((number, words) for number, texts in own.items() for words in texts.split(_BETWEEN))
    yield from (
        (str(option.value), option.label.strip()) for option in bound.column.options if str(option.value) not in own
    )


def label(bound: Bound, value: str) -> str:
    """The Marketo text of an option value."""
    unknown = f"{_UNKNOWN}{value.strip()}"
    return next((words for number, words in _texts(bound) if number == value.strip()), unknown)


def option(bound: Bound, value: str) -> str:
    """The option value whose text this is (case folded); the first where two options share a label."""
    found = _number_of(bound, value)
    if found is None:
        raise Unconvertible(Cause.UNKNOWN_OPTION, value)
    return found


def choice(bound: Bound, side: Side, raw: Raw) -> str | None:
    if side is Side.MARKETO:
        return folded(raw)
    if isinstance(raw, bool | dict):
        raise wrong_type(raw)
    return None if raw is None or raw == "" else label(bound, str(raw)).strip().casefold()


def multichoice(bound: Bound, side: Side, raw: Raw) -> str | None:
    """Folded labels, sorted, each once, joined by ``; ``."""
    if side is Side.MARKETO:
        return _joined(text(raw) or "")
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool | dict):
        raise wrong_type(raw)
    return _joined(";".join(label(bound, value) for value in str(raw).split(",")))


def _joined(shown: str) -> str | None:
    return "; ".join(sorted({part for part in _parts(shown.casefold()) if part})) or None


def _parts(shown: str) -> list[str]:
    return [part.strip() for part in shown.split(";")]


def boolean(bound: Bound, side: Side, raw: Raw) -> str | bool | None:
    """A truth value. Null in Dynamics equals false in a Boolean field, which is never null.

    Where one side keeps text, an option's label counts as that option.
    """
    if isinstance(raw, dict):
        raise wrong_type(raw)
    if bound.column.kind in _CHOICES and side is Side.DYNAMICS:
        raw = choice(bound, side, raw)
    elif bound.column.kind is Kind.BOOLEAN and isinstance(raw, str):
        # Labels come before words: an option called "No" may well stand for true ("Contact allowed: No").
        raw = _number_of(bound, raw) or raw
    value = truth(raw)
    # Marketo answers false where nothing was ever set, so an unset Dynamics column must equal it.
    return False if value is None and bound.field.kind is Kind.BOOLEAN else value


def _number_of(bound: Bound, shown: str) -> str | None:
    wanted = shown.strip().casefold()
    return next((number for number, words in _texts(bound) if words.strip().casefold() == wanted), None)


def to_choice(bound: Bound, side: Side, value: str) -> Raw:
    """The option number for Dynamics, the label as it is written for Marketo."""
    number = option(bound, value)
    return int(number) if side is Side.DYNAMICS else label(bound, number)


def to_multichoice(bound: Bound, side: Side, value: str) -> Raw:
    # Dynamics keeps the order it is sent; ascending makes two equal choices equal text.
    chosen = sorted((option(bound, part) for part in _parts(value)), key=int)
    if side is Side.DYNAMICS:
        return ",".join(chosen)
    return "; ".join(sorted(label(bound, number) for number in chosen))


def to_boolean(bound: Bound, side: Side, value: str | bool) -> Raw:
    """True or false for a Boolean column; its label, or the word, for any other."""
    target = bound.target(side)
    if not isinstance(value, bool):
        raise wrong_type(value)
    if target.kind is Kind.BOOLEAN:
        return value
    if target.kind is Kind.INTEGER:
        return int(value)
    if side is Side.MARKETO:
        wanted = "1" if value else "0"
        return next((words for number, words in _texts(bound) if number == wanted), "true" if value else "false")
    if target.kind is Kind.CHOICE:
        return _option_meaning(bound, value)
    return "true" if value else "false"


def _option_meaning(bound: Bound, value: bool) -> int:
    found = next((number for number, shown in _texts(bound) if truth(shown) is value), None)
    if found is None:
        raise Unconvertible(Cause.UNKNOWN_OPTION, "yes" if value else "no")
    return int(found)
