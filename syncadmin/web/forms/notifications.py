"""A new channel, and the limits beyond which something is told."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from syncadmin.store.options import Options
from syncadmin.web.forms.shown import ShownForm
from syncadmin.web.words.notifications import CHANNELS


def _kinds() -> list[tuple[str, str]]:
    return [(code, str(words)) for code, words in CHANNELS.items()]


class ChannelForm(forms.Form):
    """The secret is never shown again, so a form that failed asks for it anew."""

    kind = forms.ChoiceField(label=_("Kind"), choices=_kinds)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("An e-mail address, or the https:// address of the webhook."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    header = forms.CharField(
        label=_("Name of a secret header"),
        max_length=60,
        required=False,
        help_text=_("Only if the webhook wants one, like Authorization."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = forms.CharField(
        label=_("Its value"),
        max_length=1000,
        required=False,
        help_text=_("Kept sealed and not shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    allow_private = forms.BooleanField(
        label=_("The webhook may be inside a private network"),
        required=False,
        help_text=_("Otherwise an address that leads inside is refused."),
    )


class LimitsForm(ShownForm):
    """Minutes and days as people say them; the settings keep seconds."""

    alarm_failures = forms.IntegerField(
        label=_("Failures within an hour"),
        min_value=0,
        max_value=100_000,
        help_text=_("More than this many newly opened failures are told. 0 turns it off."),
    )
    backlog_minutes = forms.IntegerField(
        label=_("Minutes a change may wait"),
        min_value=0,
        max_value=100_000,
        help_text=_("An older change that is not yet written is told. 0 turns it off."),
    )
    dynamics_secret_until = forms.DateField(
        label=_("The client secret of Dynamics expires on"),
        required=False,
        help_text=_("Microsoft shows the day where the secret was made. We cannot ask for it."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    alarm_expiry_days = forms.IntegerField(label=_("Days before that to be told"), min_value=0, max_value=365)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remember()

    @staticmethod
    def of(options: Options) -> dict[str, Any]:
        return {
            "alarm_failures": options.alarm_failures,
            "backlog_minutes": options.alarm_backlog // 60,
            "dynamics_secret_until": options.dynamics_secret_until or None,
            "alarm_expiry_days": options.alarm_expiry_days,
        }

    def settings(self) -> dict[str, Any]:
        """The settings that the limits somebody changed here are kept as."""
        told = self.touched()
        if "backlog_minutes" in told:
            told["alarm_backlog"] = told.pop("backlog_minutes") * 60
        if "dynamics_secret_until" in told:
            until: date | None = told["dynamics_secret_until"]
            told["dynamics_secret_until"] = until.isoformat() if until else ""
        return told
