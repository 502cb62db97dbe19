"""The checks of a connection in the viewer's language; what the systems themselves say stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as noop

from syncadmin.services.checks import LATER, Check

# Sentences that come from the connectors, which know no languages; a test keeps this list complete.
SENTENCES = (
    noop("Address reachable"),
    noop("Sign-in"),
    noop("Application user"),
    noop("Organisation and version"),
    noop("Change tracking of leads"),
    noop("Read leads"),
    noop("Write leads"),
    noop("Create leads"),
    noop("Change tracking of contacts"),
    noop("Read contacts"),
    noop("Write contacts"),
    noop("Create contacts"),
    noop("Time difference"),
    noop("Address"),
    noop("Read people"),
    noop("Write people"),
    noop("Read activities"),
    noop("Write to the activity log"),
    noop("Read custom activity types"),
    noop("Create custom fields"),
    noop("Calls of today"),
    noop("No native CRM sync"),
    noop("The same organisation as before"),
    # about any of them
    noop("Not checked: a check before it comes first."),
    noop("There is no connection to this address."),
    noop("The server did not answer in time."),
    noop("Something else answers at this address: what came back cannot be read."),
    noop("The answer is too large."),
    noop("The server asks for patience: it is used too much at the moment."),
    noop("The server cannot serve at the moment."),
    noop("There was no time left to check this."),
    noop("This address lies inside a private network."),
    noop(
        "Check the address. If it is meant, connect it at this server's terminal: manage.py connect with --allow-private "
        "(docs/setup.md, At a terminal). In the browser it stays refused."
    ),
    noop("The server at this address does not know the interface we speak."),
    # Dynamics
    noop("Check the environment's address (Power Platform admin center, Environments) and this server's network."),
    noop("Check tenant, client id and secret (Microsoft Entra admin center, App registrations)."),
    noop("Create the application user and give it a security role (Power Platform admin center, Application users)."),
    noop("Create the application user for this client id (Power Platform admin center, Application users)."),
    noop("Give the application user a security role (Power Platform admin center, Application users)."),
    noop("Enable the application user (Power Platform admin center, Application users)."),
    noop("The user has no licence; use an application user."),
    noop("Give the role read access to the Organization table (Security roles, Business Management)."),
    noop("Set this server's clock by a time service."),
    noop("Check this server's network: it must reach the sign-in address of Microsoft Entra ID."),
    noop("Dynamics does not accept our sign-in: the organisation belongs to another tenant or cloud."),
    noop("Give the application user's role this right (Power Platform admin center, Security roles)."),
    noop("Turn on Track changes for the table Lead (make.powerapps.com, Tables, Properties, Advanced options)."),
    noop("Turn on Track changes for the table Contact (make.powerapps.com, Tables, Properties, Advanced options)."),
    noop("Changes of leads are not tracked."),
    noop("Changes of contacts are not tracked."),
    noop("The organisation's settings cannot be read."),
    noop("Not checked: the table is empty, so nothing can be tried on it that does no harm."),
    noop("Not checked: the answer was unclear."),
    noop("The record tried on was deleted in the same moment: an empty one was made in its place. Delete it by hand."),
    noop("%(name)s, version %(version)s"),
    noop("%(seconds)s seconds"),
    noop("No time was told."),
    # signing in to Dynamics
    noop("The client secret is wrong."),
    noop(
        "Paste the secret's value, not its id (Microsoft Entra admin center, App registrations, your app, Certificates & secrets)."
    ),
    noop("The client secret has expired."),
    noop(
        "Create a new secret and enter it here (Microsoft Entra admin center, App registrations, your app, Certificates & secrets)."
    ),
    noop("The client secret is missing."),
    noop("Enter the client secret."),
    noop("This client id is unknown in the tenant."),
    noop("Check client id and tenant (Microsoft Entra admin center, App registrations, your app, Overview)."),
    noop("The tenant does not exist."),
    noop("Check the tenant id or domain (Microsoft Entra admin center, App registrations, your app, Overview)."),
    noop("The sign-in request is incomplete."),
    noop("Fill in tenant, client id and client secret."),
    noop("The organisation's address is not accepted as a scope."),
    noop("Enter the address as https://name.crm4.dynamics.com."),
    noop("The organisation's address is unknown in this tenant."),
    noop("Check the environment's address (Power Platform admin center, Environments) and the tenant."),
    noop("Microsoft Entra ID refused the sign-in."),
    noop("Look the code up in Microsoft's list of AADSTS codes."),
    noop("The sign-in address refused us."),
    noop("Check authority, tenant, client id and secret (Microsoft Entra admin center, App registrations)."),
    # Marketo
    noop("Copy client id and client secret anew: Admin > Integration > LaunchPoint, the custom service, View Details."),
    noop("Copy the endpoint of the REST API anew: Admin > Integration > Web Services."),
    noop("Try again in a minute."),
    noop("Marketo denies this: the permission %(permission)s is missing."),
    noop("Marketo does not know this client id and secret."),
    noop("%(address)s"),
    noop("Signed in as %(user)s."),
    noop("%(total)s calls were made today, %(others)s of them by others."),
    noop("%(number)s fields belong to a CRM sync of Marketo's own: %(names)s."),
    noop("Two syncs would work against each other. Switch the native one off (Admin > CRM) before starting this one."),
    noop(
        "In Marketo, open Admin > Users & Roles > Roles, edit the role of the API user and tick '%(permission)s' under "
        "Access API. If it is ticked already, this server's address is missing from the account's list of addresses "
        "that may use the API (Admin > Web Services)."
    ),
    # addresses
    noop("The address cannot be read."),
    noop("The address must look like contoso.crm4.dynamics.com."),
    noop("The address must begin with https://."),
    noop("The address must look like https://name.example.com."),
    noop("The address must not carry a query or a fragment."),
    noop("The address must not carry a user name or password."),
    noop("The address contains blanks or backslashes."),
    noop(
        "This is the address of a Microsoft portal, not of the organisation. Open the environment in the Power Platform "
        "admin center and copy its Environment URL, such as contoso.crm4.dynamics.com."
    ),
    noop("This is %(new)s; what is linked so far belongs to %(old)s."),
    noop("Connect the organisation the sync was set up with, or set up a new syncadmin for this one."),
)

# What accepting a red check gives up, by the word of ``Check.accept``: what to agree to, and what follows.
CONSEQUENCES: dict[str, tuple[Any, Any]] = {
    "lead": (gettext_lazy("Go on without leads"), gettext_lazy("Only contacts are synced.")),
    "contact": (gettext_lazy("Go on without contacts"), gettext_lazy("Only leads are synced.")),
    "create": (
        gettext_lazy("Go on without creating records in Dynamics"),
        gettext_lazy("Updates travel both ways; Sync Person fails with the missing right as its cause."),
    ),
    "organisation": (
        gettext_lazy("Go on without the organisation's settings"),
        gettext_lazy("Its name is not shown, and labels of options come in the sync user's language."),
    ),
    "native": (
        gettext_lazy("Observe only"),
        gettext_lazy(
            "Both systems are read, people are matched and everything is decided, but nothing is written anywhere "
            "until Marketo's own sync is off and you switch observing off in the settings."
        ),
    ),
    "log": (
        gettext_lazy("Go on without Marketo's activity log"),
        gettext_lazy("Failures and results are shown here only, not in a person's activity log in Marketo."),
    ),
    "types": (
        gettext_lazy("Go on without a custom activity type"),
        gettext_lazy("Failures and results are shown here only, not in a person's activity log in Marketo."),
    ),
    "schema": (
        gettext_lazy("Make our fields in Marketo by hand"),
        gettext_lazy("The next page says which three, with their names and types."),
    ),
}


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check as a line of the list. ``state``: good, bad, warn (could not be checked), now or later."""

    name: str
    state: str
    message: str = ""
    remedy: str = ""
    words: str = ""


def rows(names: Sequence[str], done: Sequence[Check], *, running: bool) -> list[CheckRow]:
    """All checks of a connection: those that are done, the one under way, those to come."""
    found = [_row(check) for check in done]
    for place, name in enumerate(names[len(done) :]):
        found.append(CheckRow(_(name), "now" if running and not place else "later"))
    return found


def _row(check: Check) -> CheckRow:
    if check.message == LATER:
        return CheckRow(_(check.name), "later")
    state = {True: "good", False: "bad", None: "warn"}[check.ok]
    words = " ".join(filter(None, (check.code, check.detail)))
    return CheckRow(_(check.name), state, _told(check.message, check), _told(check.remedy, check), words)


def _told(text: str, check: Check) -> str:
    if not text:
        return ""
    return _(text) % check.facts if check.facts else _(text)
