"""What is typed to connect a system: its shape only; whether it is right the checks say."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_TENANT = re.compile(r"[A-Za-z0-9.-]{1,255}|https?://\S{1,400}")
_HIDDEN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def _text(label: Any, hint: Any = "", *, required: bool = True, placeholder: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={**_HIDDEN, **({"placeholder": placeholder} if placeholder else {})})
    return forms.CharField(label=label, help_text=hint, required=required, max_length=500, widget=widget)


def _secret() -> forms.CharField:
    # Never filled in by us: a secret that was typed once is not shown again.
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(label=gettext_lazy("Client secret"), required=False, max_length=500, widget=widget)


class _Connection(forms.Form):
    """``kept``: a secret is there already, so that an empty field keeps it; ``stored`` with a saved connection."""

    rare: tuple[str, ...] = ()

    def __init__(self, *args: Any, kept: bool = False, stored: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = kept
        if stored:
            self.fields["secret"].help_text = _("A secret is stored and is not shown again. Leave empty to keep it.")
        elif kept:
            self.fields["secret"].help_text = _("Nothing is saved yet. Leave empty to try the secret you typed again.")

    def clean_secret(self) -> str:
        secret = str(self.cleaned_data["secret"]).strip()
        if not secret and not self.kept:
            raise forms.ValidationError(_("Enter the client secret."))
        return secret

    @property
    def common(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.rare]

    @property
    def seldom(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in self.rare]


class DynamicsForm(_Connection):
    """``authority`` differs in other clouds only."""

    rare = ("authority", "expires")
    url = _text(
        gettext_lazy("Address of the organisation"),
        gettext_lazy("Paste it from the browser while Dynamics is open; what comes behind the name does not matter."),
        placeholder="contoso.crm4.dynamics.com",
    )
    tenant = _text(
        gettext_lazy("Tenant"),
        gettext_lazy("Directory (tenant) id, or a domain such as contoso.com: Entra, App registrations, your app."),
    )
    client_id = _text(gettext_lazy("Client id"), gettext_lazy("Application (client) id, on the same page."))
    secret = _secret()
    expires = forms.DateField(
        label=gettext_lazy("The secret expires on"),
        required=False,
        help_text=gettext_lazy("Entra shows it beside the secret. We remind you in time; the systems do not tell us."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    authority = _text(
        gettext_lazy("Sign-in address"),
        gettext_lazy("Only for national clouds; otherwise it follows from the organisation's address."),
        required=False,
        placeholder="https://login.microsoftonline.com",
    )

    def clean_tenant(self) -> str:
        tenant = str(self.cleaned_data["tenant"]).strip()
        if not _TENANT.fullmatch(tenant):
            raise forms.ValidationError(_("Enter the tenant's id or domain."))
        return tenant


class MarketoForm(_Connection):
    """``quota`` is asked because Marketo does not tell it."""

    rare = ("identity_url",)
    url = _text(
        gettext_lazy("Endpoint, identity address or Munchkin id"),
        gettext_lazy("Admin, Integration, Web Services, REST API; or the Munchkin id alone."),
        placeholder="https://123-ABC-456.mktorest.com/rest",
    )
    client_id = _text(
        gettext_lazy("Client id"), gettext_lazy("Admin, Integration, LaunchPoint, your custom service, View Details.")
    )
    secret = _secret()
    quota = forms.IntegerField(
        label=gettext_lazy("API calls a day"),
        min_value=1,
        max_value=100_000_000,
        help_text=gettext_lazy(
            "What your contract allows for the whole account: Admin, Integration, Web Services. Marketo does not tell "
            "us; 50,000 is usual. We use a share of it."
        ),
    )
    identity_url = _text(
        gettext_lazy("Identity address"),
        gettext_lazy("Only where signing in happens on another host."),
        required=False,
    )
