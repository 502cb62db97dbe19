"""Fields that both sides had changed, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.store.models import Conflict

PAGE = 50
STATES = ("decided", "open", "chosen")


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """The agreed and both new values, in comparable form. ``winner`` is empty while somebody is asked."""

    id: int
    link: int
    name: str
    key: str
    agreed_dynamics: Any
    agreed_marketo: Any
    dynamics: Any
    marketo: Any
    winner: str
    rule: str
    state: str
    chosen: str
    decided_by: str
    at: datetime
    run: int | None


@dataclass(frozen=True, slots=True)
class ConflictPage:
    rows: tuple[ConflictRow, ...]
    older: int | None


def page(state: str, link: int | None, before: int | None) -> ConflictPage:
    """``state`` is one of ``STATES`` or empty for all."""
    chosen = Conflict.objects.select_related("link").order_by("-id")
    if state:
        chosen = chosen.filter(state=state)
    if link is not None:
        chosen = chosen.filter(link=link)
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = [row(conflict) for conflict in chosen[: PAGE + 1]]
    return ConflictPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def row(conflict: Conflict) -> ConflictRow:
    return ConflictRow(
        id=conflict.pk,
        link=conflict.link_id,
        name=conflict.link.name or conflict.link.email,
        key=conflict.key,
        agreed_dynamics=conflict.agreed_dynamics,
        agreed_marketo=conflict.agreed_marketo,
        dynamics=conflict.dynamics_value,
        marketo=conflict.marketo_value,
        winner=conflict.winner,
        rule=conflict.rule,
        state=conflict.state,
        chosen=conflict.chosen,
        decided_by=conflict.decided_by,
        at=conflict.at,
        run=conflict.run_id,
    )
