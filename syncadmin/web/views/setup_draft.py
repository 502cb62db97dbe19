"""A connection under way: what one administrator typed, and the checks made so far. It lives in that person's session.

Nothing else reads it: how far the setup has come is told by what is stored. The secret is sealed in it, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from django.http import HttpRequest

from syncadmin.engine.records import Side
from syncadmin.services.checks import Attempt, Check
from syncadmin.services.connect import Unopened


@dataclass(frozen=True, slots=True)
class Draft:
    """``attempt`` is None once it is saved; its checks are still shown then. ``quota`` is Marketo's, 0 for none.

    ``again``: the stored connection was only looked at, so there is nothing to be saved.
    """

    side: Side
    attempt: Attempt | None
    checks: tuple[Check, ...] = ()
    quota: int = 0
    again: bool = False
    shown: dict[str, str] = field(default_factory=dict)

    def with_checks(self, checks: list[Check]) -> Self:
        return replace(self, checks=tuple(checks))


def load(request: HttpRequest, side: Side) -> Draft | None:
    """The draft of whoever asks. One whose secret cannot be opened any more is forgotten."""
    kept: dict[str, Any] | None = request.session.get(_key(side))
    if kept is None:
        return None
    try:
        attempt = Attempt.unsealed(kept["attempt"]) if kept["attempt"] else None
    except Unopened:
        forget(request, side)
        return None
    checks = tuple(Check(**each) for each in kept["checks"])
    return Draft(side, attempt, checks, kept["quota"], kept["again"], kept["shown"])


def keep(request: HttpRequest, draft: Draft) -> None:
    request.session[_key(draft.side)] = {
        "attempt": None if draft.attempt is None else draft.attempt.sealed(),
        "checks": [asdict(check) for check in draft.checks],
        "quota": draft.quota,
        "again": draft.again,
        "shown": draft.shown,
    }


def forget(request: HttpRequest, side: Side) -> None:
    request.session.pop(_key(side), None)


def _key(side: Side) -> str:
    return f"connect-{side}"
