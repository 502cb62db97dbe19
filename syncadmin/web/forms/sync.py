"""How the sync behaves, in plain words: one field for each setting an administrator may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.services.setup import LEAST
from syncadmin.web.forms.shown import ShownForm


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together, by name."""

    name: str
    title: Any
    names: tuple[str, ...]


GROUPS = (
    Group("loop", gettext_lazy("The loop"), ("wait", "longest_wait", "observe_only")),
    Group("calls", gettext_lazy("Marketo's calls"), ("marketo_quota", "marketo_share", "backfill_share")),
    Group("safety", gettext_lazy("Safety"), ("detect_duplicates", "deletes_at_least", "deletes_share")),
    Group(
        "patience",
        gettext_lazy("Reading and remembering"),
        ("receipt_patience", "marketo_since", "keep_activities_days"),
    ),
)
_WORDS: dict[str, tuple[Any, Any]] = {
    "wait": (gettext_lazy("Seconds between two runs"), gettext_lazy("From the start of one to the start of the next.")),
    "longest_wait": (
        gettext_lazy("At most, while nothing changes"),
        gettext_lazy("The pause grows up to so many seconds, which saves calls."),
    ),
    "observe_only": (
        gettext_lazy("Only observe"),
        gettext_lazy("Read, match and decide, and write nothing anywhere. Sync Person answers that it is queued."),
    ),
    "marketo_quota": (
        gettext_lazy("Marketo's API calls a day"),
        gettext_lazy("For the whole account, by contract: Admin, Integration, Web Services. Marketo does not tell us."),
    ),
    "marketo_share": (gettext_lazy("Our share of them, in percent"), gettext_lazy("The rest is left to others.")),
    "backfill_share": (
        gettext_lazy("The first read's share of ours, in percent"),
        gettext_lazy("So that changes of the day still get through while everything is read."),
    ),
    "detect_duplicates": (
        gettext_lazy("Obey Dynamics' duplicate detection when we create"),
        gettext_lazy("A hit is linked if it is the same person, else it needs a decision."),
    ),
    "deletes_at_least": (
        gettext_lazy("So many deletions at once are never held back"),
        gettext_lazy("More than this, and more than the share below, wait for a decision."),
    ),
    "deletes_share": (
        gettext_lazy("Nor are those below this share of all links, in percent"),
        gettext_lazy("One in a hundred is usual."),
    ),
    "receipt_patience": (
        gettext_lazy("Seconds until a write to Marketo without a trace is looked at"),
        gettext_lazy("Then the value that stands there decides whether it arrived."),
    ),
    "marketo_since": (
        gettext_lazy("Marketo has people since"),
        gettext_lazy(
            "The first read of people who are only in Marketo begins here; each month before costs an export."
        ),
    ),
    "keep_activities_days": (
        gettext_lazy("Days that history is kept"),
        gettext_lazy("0 keeps it for ever."),
    ),
}
SHARES = frozenset({"marketo_share", "backfill_share", "deletes_share"})


class SyncForm(ShownForm):
    """Built from the settings as they stand; shares are shown in percent."""

    def __init__(self, now: Mapping[str, Any], data: Any = None) -> None:
        initial = {name: _shown(name, now[name]) for name in _WORDS}
        super().__init__(data, initial=initial)
        for name, (label, hint) in _WORDS.items():
            self.fields[name] = _field(name, now[name], label, hint)
        self.remember()

    def groups(self) -> list[tuple[Group, list[forms.BoundField]]]:
        return [(group, [self[name] for name in group.names]) for group in GROUPS]

    def wanted(self) -> dict[str, Any]:
        """The settings that somebody changed here, as they are stored."""
        found = self.touched()
        for name in SHARES & found.keys():
            found[name] = float(found[name]) / 100
        if "marketo_since" in found:
            found["marketo_since"] = found["marketo_since"].isoformat()
        return found


def _shown(name: str, value: Any) -> Any:
    return f"{value * 100:g}" if name in SHARES else value


def _field(name: str, value: Any, label: Any, hint: Any) -> forms.Field:
    if isinstance(value, bool):
        return forms.BooleanField(label=label, help_text=hint, required=False)
    if name in SHARES:
        return forms.FloatField(label=label, help_text=hint, min_value=0.01, max_value=100)
    if isinstance(value, int):
        return forms.IntegerField(label=label, help_text=hint, min_value=LEAST.get(name, 0), max_value=1_000_000_000)
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=hint, widget=widget)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How many settings differ, as a sentence."""
    number = sum(before[name] != after[name] for name in after)
    return _("Saved.") if number else _("Nothing was different.")
