"""The chart of what was written, as places in a drawing; the page draws it without script or inline style.

To Marketo above the axis, to Dynamics below: told apart by place, since colour means state and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from syncadmin.store.queries.pace import Bar, Pace, Span

SLOT = 10
HEIGHT = 200
# What is small on one side must still be seen as something.
_LEAST_PART = 0.2
_LEAST_BAR = 1.5
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """One bar's place: ``x`` of its slot, how far it goes up and down from the axis, and its words."""

    x: int
    up: str
    top: str
    down: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``axis`` is the height of the line between the two directions; ``rows`` are the bars with something in them."""

    width: int
    axis: str
    slots: tuple[Slot, ...]
    most_up: int
    most_down: int
    ticks: tuple[str, ...]
    rows: tuple[Bar, ...]


def chart(pace: Pace) -> Chart:
    up, down = max(bar.marketo.number for bar in pace.bars), max(bar.dynamics.number for bar in pace.bars)
    part = min(max(up / (up + down), _LEAST_PART), 1 - _LEAST_PART) if up + down else 0.5
    axis = HEIGHT * part
    unit = min(axis / up if up else HEIGHT, (HEIGHT - axis) / down if down else HEIGHT)
    return Chart(
        width=SLOT * len(pace.bars),
        axis=_number(axis),
        slots=tuple(_slot(place, bar, axis, unit) for place, bar in enumerate(pace.bars)),
        most_up=up,
        most_down=down,
        ticks=_ticks(pace),
        rows=tuple(bar for bar in reversed(pace.bars) if bar.marketo.number or bar.dynamics.number),
    )


def _slot(place: int, bar: Bar, axis: float, unit: float) -> Slot:
    up, down = _length(bar.marketo.number, unit), _length(bar.dynamics.number, unit)
    told = {"from": clock(bar.begin), "to": clock(bar.end), "up": bar.marketo.number, "down": bar.dynamics.number}
    words = _("%(from)s to %(to)s: %(up)s to Marketo, %(down)s to Dynamics") % told
    return Slot(SLOT * place, _number(up) if up else "", _number(axis - up), _number(down) if down else "", words)


def _length(number: int, unit: float) -> float:
    return max(number * unit, _LEAST_BAR) if number else 0


def _ticks(pace: Pace) -> tuple[str, ...]:
    begins = [bar.begin for bar in pace.bars]
    places = [place * (len(begins) - 1) // (_TICKS - 1) for place in range(_TICKS)]
    form = "D j" if pace.span is Span.WEEK else "H:i"
    return tuple(date_format(timezone.localtime(begins[place]), form) for place in places)


def clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")


def _number(value: float) -> str:
    # Written by hand: a template would put the language's decimal comma into the drawing.
    return f"{value:.1f}"
