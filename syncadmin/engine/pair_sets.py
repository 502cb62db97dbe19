"""What differs between two sets of field pairs, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syncadmin.engine.mapping import FieldPair
from syncadmin.engine.records import Table

# What a person may change about a pair; its key follows from these, and whether it is paused is nobody's choice.
RULES = ("marketo", "direction", "winner", "blanks_travel", "shorten", "options", "consent", "default")


@dataclass(frozen=True, slots=True)
class Change:
    """One Dynamics column whose pair differs; at least one of the two is there.

    ``confirmed``: nothing differs but the type of a column, and the pair is to go on with the new one.
    """

    table: Table
    dynamics: str
    before: FieldPair | None
    after: FieldPair | None
    confirmed: bool = False

    @property
    def kind(self) -> str:
        """added, removed, changed or confirmed."""
        if self.confirmed:
            return "confirmed"
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules in which a changed pair differs."""
        before, after = self.before, self.after
        if before is None or after is None:
            return ()
        return tuple(name for name in RULES if getattr(before, name) != getattr(after, name))


def differences(before: Iterable[FieldPair], after: Iterable[FieldPair]) -> list[Change]:
    """In the order of the tables and of the columns' names."""
    old = {(pair.table, pair.dynamics): pair for pair in before}
    new = {(pair.table, pair.dynamics): pair for pair in after}
    # Leads come first on every screen.
    places = sorted(old.keys() | new.keys(), key=lambda place: (place[0] is not Table.LEAD, place))
    changes = (Change(*place, old.get(place), new.get(place)) for place in places)
    return [change for change in changes if change.kind != "changed" or change.rules]


def same(one: FieldPair | None, other: FieldPair | None) -> bool:
    """Whether the two join the same by the same rules."""
    if one is None or other is None:
        return one is other
    ends = (one.table, one.dynamics) == (other.table, other.dynamics)
    return ends and all(getattr(one, name) == getattr(other, name) for name in RULES)
