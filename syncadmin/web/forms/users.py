"""Inviting somebody."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from syncadmin.services.roles import Role
from syncadmin.web.words.terms import ROLES, ROLES_MEAN


def _roles() -> list[tuple[str, str]]:
    """Asked for each form, in the language of its viewer."""
    return [(str(role), f"{ROLES[role]}: {ROLES_MEAN[role]}") for role in Role]


class _Name(forms.CharField):
    """Kept as the sign-in reads it: from an East Asian keyboard letters come wide, and nobody could sign in as them."""

    def to_python(self, value: Any) -> str:
        return unicodedata.normalize("NFKC", super().to_python(value) or "")


class InviteForm(forms.Form):
    """A name to sign in with, where to reach them, and what they may do."""

    name = _Name(
        label=_("Name to sign in with"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = forms.EmailField(label=_("E-mail address"), required=False, max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=_roles, initial="viewer")
