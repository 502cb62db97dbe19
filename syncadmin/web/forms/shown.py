"""Forms over what everybody may change: they know what their sender was shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString


class ShownForm(forms.Form):
    """Sends along what it showed, so that of two who have it open neither takes the other's change back."""

    def remember(self) -> None:
        """To be called once all fields are there."""
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def shown(self) -> SafeString:
        """What was shown, for a template that writes its inputs itself."""
        return format_html_join("", "{}", ((field.as_hidden(only_initial=True),) for field in self))

    def touched(self) -> dict[str, Any]:
        """The answers that differ from what was shown; one that was sent without it counts as different."""
        different = {name for name in self.fields if f"initial-{name}" not in self.data} | set(self.changed_data)
        return {name: value for name, value in self.cleaned_data.items() if name in different}
