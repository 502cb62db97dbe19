"""Who enters a trigger campaign: people asked in, and people whose watched field just changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .state import State


def ask(state: State, campaign: int, person: str, tokens: dict[str, Any] | None = None, trigger: str = "") -> None:
    """Queue a person for a campaign; it runs later, as over there, and not inside the request that caused it."""
    # Padded, so that the keys sort in the order of arrival.
    number = state.next_id("campaign_run", 1)
    entry = {"campaign": campaign, "person": person, "tokens": tokens or {}, "trigger": trigger}
    state.waiting[f"{number:012}"] = entry


def noticed(state: State, person: str, changed: Iterable[str]) -> None:
    for row in state.campaigns.values():
        if not row["active"] or row["trigger"] != "changed" or row["field"] not in changed:
            continue
        if row["value"] in (None, state.people[person].get(row["field"])):
            ask(state, row["id"], person, trigger="Data Value Changes")
