"""Questions of the same shape have the same answers, so that many can be answered at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Stand for whatever the one fitting choice of each question is.
ONLY_LINK, CONTACT_FIRST = "only_link", "contact_first"


def shape_of(kind: str, facts: Mapping[str, Any], choices: Sequence[str]) -> str:
    """What a question has in common with others of its kind: why it is asked, and which answers it offers."""
    return f"{facts.get('reason') or facts.get('side') or ''}/{'+'.join(general(choices))}"[:40]


def general(choices: Sequence[str]) -> list[str]:
    """The answers that mean the same in every question of a shape, in the order they are offered."""
    linking = [choice for choice in choices if choice.startswith("link:")]
    contacts = [choice for choice in choices if choice.startswith("first:contact:")]
    plain = [choice for choice in choices if ":" not in choice]
    return [*([ONLY_LINK] if len(linking) == 1 else []), *([CONTACT_FIRST] if len(contacts) == 1 else []), *plain]


def particular(general_choice: str, choices: Sequence[str]) -> str | None:
    """What a general answer means in a question with these choices; None if it does not fit there."""
    if general_choice == ONLY_LINK:
        fitting = [choice for choice in choices if choice.startswith("link:")]
    elif general_choice == CONTACT_FIRST:
        fitting = [choice for choice in choices if choice.startswith("first:contact:")]
    else:
        fitting = [choice for choice in choices if choice == general_choice]
    return fitting[0] if len(fitting) == 1 else None
