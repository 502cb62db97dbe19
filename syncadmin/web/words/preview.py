"""What the preview calls the changes it shows, and its fields in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy

from syncadmin.store.queries.preview import ChangeKind, FieldCount
from syncadmin.web.words.terms import Text

KINDS: Mapping[str, Text] = {
    ChangeKind.FILLED: gettext_lazy("filled where it was empty"),
    ChangeKind.REPLACED: gettext_lazy("replaced by another value"),
    ChangeKind.EMPTIED: gettext_lazy("emptied"),
    ChangeKind.NEW: gettext_lazy("written with a new record"),
    ChangeKind.OWN: gettext_lazy("our own fields"),
}

OUTCOMES: Mapping[str, Text] = {
    "dynamics": gettext_lazy("The value of Dynamics wins"),
    "marketo": gettext_lazy("The value of Marketo wins"),
    "": gettext_lazy("Nobody wins before somebody is asked"),
}

STREAMS: Mapping[str, Text] = {
    "lead": gettext_lazy("Leads of Dynamics"),
    "contact": gettext_lazy("Contacts of Dynamics"),
    "person": gettext_lazy("People of Marketo"),
}


@dataclass(slots=True)
class FieldLine:
    """One field pair with the values that change on each side, and those new records start with."""

    key: str
    label: str
    table: str
    changes: dict[str, int] = field(default_factory=lambda: {"dynamics": 0, "marketo": 0})
    new: int = 0

    @property
    def columns(self) -> str:
        return self.key.partition(".")[2].replace(":", " ↔ ") if not self.key.endswith(":") else self.label

    @property
    def in_dynamics(self) -> int:
        return self.changes["dynamics"]

    @property
    def in_marketo(self) -> int:
        return self.changes["marketo"]


def label(key: str, labels: Mapping[str, str]) -> str:
    """A field that no pair names (a default of a new record) goes by its column."""
    return labels.get(key) or key.partition(".")[2].partition(":")[0].lstrip("@")


def field_lines(rows: Iterable[FieldCount], labels: Mapping[str, str]) -> list[FieldLine]:
    """The fields with most changes first; our own three are not among them."""
    lines: dict[str, FieldLine] = {}
    for row in rows:
        if row.kind == ChangeKind.OWN:
            continue
        line = lines.setdefault(row.key, FieldLine(row.key, label(row.key, labels), row.key.partition(".")[0]))
        if row.kind == ChangeKind.NEW:
            line.new += row.number
        else:
            line.changes[row.side] += row.number
    return sorted(lines.values(), key=lambda line: (-sum(line.changes.values()), -line.new, line.label, line.key))
