"""The words of pairing: who may be paired with whom, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from syncadmin.engine.records import Ref, Side


def fold_email(text: str | None) -> str:
    """The form in which two addresses are compared; empty if there is none."""
    return (text or "").strip().casefold()


class Several(StrEnum):
    """What happens when more than one Dynamics record could be a person."""

    ASK = "ask"
    CONTACT_FIRST = "contact_first"
    EACH = "each"


class MatchKind(StrEnum):
    LINK = "link"  # with the Marketo person ``partner``
    CREATE_IN_MARKETO = "create_in_marketo"
    ADOPT = "adopt"  # a contact takes over the link of the lead ``partner``
    WAIT = "wait"  # same e-mail as ``partner``; paired anew when one of them changes
    DECIDE = "decide"  # a person has to choose among ``candidates``
    NOTHING = "nothing"  # stands behind ``partner`` (its contact, its master) and is not synced on its own


class Reason(StrEnum):
    ORIGINATING_LEAD = "originating_lead"
    PARENT_CONTACT = "parent_contact"
    MERGED = "merged"
    STORED_ID = "stored_id"
    EMAIL = "email"
    NO_EMAIL = "no_email"
    NO_MATCH = "no_match"
    OWN_PERSON = "own_person"
    SET_ASIDE = "set_aside"
    CONTACT_FIRST = "contact_first"
    SEVERAL_RECORDS = "several_records"
    SEVERAL_PEOPLE = "several_people"
    PERSON_TAKEN = "person_taken"
    CHOSEN = "chosen"  # somebody said so


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Dynamics record that passes the filter, or a Marketo person, as far as pairing is concerned.

    ``linked_to`` is the id of its partner; ``half`` says that it has a link which lost its partner, or never got one,
    and that none is under way. ``originating`` is a contact's lead, ``parent_contact`` a lead's contact,
    ``marketo_guid`` the Dynamics id that Marketo stores for a person; all are ids, lower case.
    """

    ref: Ref
    email: str = ""
    active: bool = True
    merged: bool = False
    qualified: bool = False
    disqualified: bool = False
    linked_to: str | None = None
    originating: str | None = None
    parent_contact: str | None = None
    marketo_guid: str | None = None
    half: bool = False

    @property
    def in_use(self) -> bool:
        """Neither inactive, merged, disqualified nor a qualified lead: those are set aside while another remains."""
        return self.active and not (self.merged or self.qualified or self.disqualified)

    @property
    def is_person(self) -> bool:
        return self.ref.side is Side.MARKETO


@dataclass(frozen=True, slots=True)
class Match:
    """The decision for the Dynamics record ``ref``.

    ``by_id`` asks for a create by our Dynamics-id field instead of by e-mail: there is no e-mail, or the record is
    to have a person of its own although the e-mail is in use.
    """

    ref: Ref
    kind: MatchKind
    reason: Reason
    partner: Ref | None = None
    candidates: tuple[Ref, ...] = ()
    by_id: bool = False
