"""The names of sides, tables, operations and rules as a person reads them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

SIDES: dict[str, Text] = {"dynamics": _("Dynamics"), "marketo": _("Marketo")}

TABLES: dict[str, Text] = {"lead": _("Lead"), "contact": _("Contact"), "person": _("Person")}

TABLES_TOGETHER: dict[str, Text] = {"lead": _("Leads"), "contact": _("Contacts"), "person": _("People")}

OPERATIONS: dict[str, Text] = {
    "create": _("create"),
    "update": _("update"),
    "log": _("activity log entry"),
    "read": _("read"),
    "delete": _("delete"),
    "call": _("call"),
    "merge": _("merge"),
    "pair": _("pair"),
}

ROLES: dict[str, Text] = {
    "viewer": _("Viewer"),
    "operator": _("Operator"),
    "administrator": _("Administrator"),
}

ROLES_MEAN: dict[str, Text] = {
    "viewer": _("sees everything, changes nothing"),
    "operator": _("also settles conflicts, failures and decisions, and pauses the sync"),
    "administrator": _("also sets up connections, fields, users and notifications"),
}

WINNERS: dict[str, Text] = {"dynamics": _("Dynamics won"), "marketo": _("Marketo won"), "": _("not decided yet")}

DIRECTIONS: dict[str, Text] = {
    "both": _("both ways"),
    "to_marketo": _("Dynamics to Marketo only"),
    "to_dynamics": _("Marketo to Dynamics only"),
}

RULES: dict[str, Text] = {
    "one_sided": _("only one side had changed"),
    "one_way": _("this field travels one way"),
    "collision_lead": _("both had changed; for a lead Marketo wins"),
    "collision_contact": _("both had changed; for a contact Dynamics wins"),
    "collision_field": _("both had changed; the rule of this field"),
    "blank": _("only filled values travel"),
    "first_fill": _("first contact: a filled value fills an empty one"),
    "first_rule": _("first contact: by the collision rule"),
    "first_dynamics": _("first contact: Dynamics wins everywhere"),
    "first_blanks": _("first contact: only blanks are filled"),
    "consent": _("consent: yes wins on first contact"),
    "chosen": _("chosen by a person"),
    "overtaken": _("a value we had replaced unseen was put back"),
    "create": _("written with the create"),
    "superseded": _("changed again before it was sent"),
    "held": _("changed again while it was held"),
    "by_itself": _("the values went on changing, so there was nothing left to decide"),
}

WINNERS_OF_PAIR: dict[str, Text] = {
    "table": _("by the table's rule"),
    "dynamics": _("Dynamics wins a collision"),
    "marketo": _("Marketo wins a collision"),
    "ask": _("somebody is asked at a collision"),
}


ACTIVITIES: dict[str, Text] = {
    "linked": _("Records linked"),
    "created": _("Records created"),
    "updated": _("Records updated"),
    "seen": _("New records without a partner"),
    "overtaken": _("Values overtaken"),
    "agreed": _("Values agreed by themselves"),
    "superseded": _("Values changed again before they were sent"),
    "held": _("Changes held"),
    "conflict": _("Conflicts"),
    "failed": _("Failures opened"),
    "mended": _("Failures closed"),
    "dropped": _("Values not kept by Marketo"),
    "filter_started": _("People started"),
    "filter_stopped": _("People stopped"),
    "deleted": _("Deletions followed"),
    "restored": _("Records restored"),
    "merged": _("Merges followed"),
    "qualified": _("Leads qualified"),
    "decided": _("Decisions answered"),
    "decision": _("Decisions opened"),
    "requested": _("Sync Person requests"),
    "erased": _("People erased"),
}


def named(words: dict[str, Text], code: str) -> str:
    """The words for a code; a code that is newer than these words is shown as it stands."""
    return str(words[code]) if code in words else code.replace("_", " ")
