"""The wizard's steps in their order, and the frame around each of them.

A step's view begins with ``not_yet`` and answers with ``frame`` in its context; its template extends
``setup/frame.html`` and fills the block ``step``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.services.wizard import Progress, progress


@dataclass(frozen=True, slots=True)
class Step:
    """``name`` is also the end of its address; ``is_done`` reads the stored state."""

    name: str
    title: Any
    is_done: Callable[[Progress], bool]

    @property
    def url_name(self) -> str:
        return f"setup-{self.name}"


STEPS = (
    Step("dynamics", gettext_lazy("Connect Dynamics"), lambda state: state.dynamics),
    Step("marketo", gettext_lazy("Connect Marketo"), lambda state: state.marketo),
    Step("scope", gettext_lazy("What to sync"), lambda state: state.scope),
    Step("fields", gettext_lazy("Choose fields"), lambda state: state.fields),
    Step("preview", gettext_lazy("Preview"), lambda state: state.started),
    Step("start", gettext_lazy("Start"), lambda state: state.started),
)
# A preview is looked at, not fulfilled: who has chosen fields may start.
_OPTIONAL = frozenset({"preview"})


@dataclass(frozen=True, slots=True)
class Place:
    """A step as the list shows it; ``url`` is empty while it cannot be reached."""

    number: int
    name: str
    title: str
    url: str
    done: bool
    here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The list of steps around one of them; ``back`` and ``next`` are its neighbours, where they can be reached."""

    places: tuple[Place, ...]
    here: Place
    back: Place | None
    next: Place | None
    started: bool


def frame(name: str, state: Progress | None = None) -> dict[str, Frame]:
    """The context of ``setup/frame.html`` for a step."""
    state = state or progress()
    reach = _reachable(state)
    places = tuple(
        Place(
            number,
            step.name,
            str(step.title),
            _address(step) if step.name in reach else "",
            step.is_done(state),
            step.name == name,
        )
        for number, step in enumerate(STEPS, 1)
    )
    at = [place.name for place in places].index(name)
    before = places[at - 1] if at else None
    after = places[at + 1] if at + 1 < len(places) and places[at + 1].url else None
    return {"wizard": Frame(places, places[at], before, after, state.started)}


def not_yet(request: HttpRequest, name: str) -> HttpResponse | None:
    """Sends whoever comes too early to the first unfinished step; None lets the view answer."""
    state = progress()
    if name in _reachable(state):
        return None
    messages.info(request, _("That step comes later: this one is next."))
    return redirect(first_unfinished(state))


def first_unfinished(state: Progress | None = None) -> str:
    """The address of the step to go on with; the overview once everything is done."""
    state = state or progress()
    step = next((step for step in STEPS if not step.is_done(state)), None)
    return "overview" if step is None else _address(step)


def _reachable(state: Progress) -> set[str]:
    """All steps up to the first unfinished one, and those behind it that may be skipped to."""
    found: set[str] = set()
    for step in STEPS:
        found.add(step.name)
        if not step.is_done(state) and step.name not in _OPTIONAL:
            break
    return found


def _address(step: Step) -> str:
    return reverse(step.url_name)
