"""The answers to "What to sync"; which of them are possible the services say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.web.forms.shown import ShownForm

FIRST_CONTACT = (
    (
        "rule",
        gettext_lazy("By the rule of the field"),
        gettext_lazy("As later, when both sides change: for a lead Marketo wins, for a contact Dynamics."),
    ),
    ("dynamics", gettext_lazy("Dynamics wins everywhere"), gettext_lazy("Marketo takes over what Dynamics holds.")),
    (
        "blanks",
        gettext_lazy("Only empty fields are filled"),
        gettext_lazy("Where both hold something, both keep it until one of them changes."),
    ),
)
SEVERAL = (
    (
        "ask",
        gettext_lazy("Ask"),
        gettext_lazy('The candidates are listed under "Needs a decision", and nothing happens to them before.'),
    ),
    (
        "contact_first",
        gettext_lazy("Contact first"),
        gettext_lazy("If there is exactly one contact it is taken; its leads wait as having the same e-mail."),
    ),
    (
        "each",
        gettext_lazy("A person for each"),
        gettext_lazy("Every record gets a person of its own in Marketo, as Adobe's sync does it."),
    ),
)


class ScopeForm(ShownForm):
    """``columns`` are the filter columns offered, ``partitions`` Marketo's; an answer given before stays possible."""

    leads = forms.BooleanField(label=gettext_lazy("Leads"), required=False)
    contacts = forms.BooleanField(label=gettext_lazy("Contacts"), required=False)
    filter_column = forms.ChoiceField(label=gettext_lazy("Filter column"), required=False)
    list_id = forms.CharField(required=False, max_length=20)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone of the organisation"),
        max_length=60,
        help_text=gettext_lazy(
            "Dates without a time are read in it. Dynamics shows it under Personalization settings, General."
        ),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    several = forms.ChoiceField(choices=[(code, label) for code, label, _hint in SEVERAL])
    first_contact = forms.ChoiceField(choices=[(code, label) for code, label, _hint in FIRST_CONTACT])
    partition = forms.ChoiceField(label=gettext_lazy("Partition for new people"), required=False)
    observe_only = forms.BooleanField(label=gettext_lazy("Only observe for now"), required=False)

    def __init__(
        self, *args: Any, columns: Sequence[tuple[str, str]], partitions: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        chosen, kept = str(self.initial.get("filter_column", "")), str(self.initial.get("partition", ""))
        offered = list(columns)
        if chosen and chosen not in dict(offered):
            offered.append((chosen, _("%(column)s (not there)") % {"column": chosen}))
        self._choices("filter_column", [("", _("None: everything comes over")), *offered])
        names = list(partitions) + ([kept] if kept and kept not in partitions else [])
        self._choices("partition", [("", _("The account's default")), *((name, name) for name in names)])
        self.remember()

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_list_id(self) -> str:
        id = str(self.cleaned_data["list_id"]).strip()
        if id and not (id.isascii() and id.isdigit()):
            raise forms.ValidationError(_("A list is named by its number."))
        return id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("leads") or cleaned.get("contacts")):
            self.add_error("leads", _("Choose leads, contacts or both."))
        return cleaned
