"""The named checks of a Dynamics connection, each with what to do about a red one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from syncadmin.connectors.contract import Check, Identity, Probe
from syncadmin.connectors.dynamics import metadata, requests, responses, signin
from syncadmin.connectors.dynamics.names import ENTITY_SETS, is_guid, key_of
from syncadmin.connectors.dynamics.refusals import KEY_EXISTS, MEMBERSHIP, refusal
from syncadmin.connectors.errors import ConnectorError, Malformed, PermissionMissing, Refused, SignInRefused
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.probes import LATER, PASSING, TIME, mending, patience, time_difference, told
from syncadmin.engine.records import Table

Call = Callable[[Request], Answer]
TABLES = (Table.LEAD, Table.CONTACT)

ADDRESS, SIGN_IN, USER = "Address reachable", "Sign-in", "Application user"
ORGANISATION = "Organisation and version"
REMEDIES = {
    ADDRESS: "Check the environment's address (Power Platform admin center, Environments) and this server's network.",
    SIGN_IN: "Check tenant, client id and secret (Microsoft Entra admin center, App registrations).",
    USER: "Create the application user and give it a security role (Power Platform admin center, Application users).",
    ORGANISATION: "Give the role read access to the Organization table (Security roles, Business Management).",
}
ENTRA = "Check this server's network: it must reach the sign-in address of Microsoft Entra ID."
AUDIENCE = "Dynamics does not accept our sign-in: the organisation belongs to another tenant or cloud."
RIGHT = "Give the application user's role this right (Power Platform admin center, Security roles)."
TRACK = {
    Table.LEAD: "Turn on Track changes for the table Lead (make.powerapps.com, Tables, Properties, Advanced options).",
    Table.CONTACT: "Turn on Track changes for the table Contact (make.powerapps.com, Tables, Properties, Advanced "
    "options).",
}
UNTRACKED = {Table.LEAD: "Changes of leads are not tracked.", Table.CONTACT: "Changes of contacts are not tracked."}
NAMELESS = "The organisation's settings cannot be read."
EMPTY = "Not checked: the table is empty, so nothing can be tried on it that does no harm."
UNCLEAR = "Not checked: the answer was unclear."
MADE = "The record tried on was deleted in the same moment: an empty one was made in its place. Delete it by hand."
SAID_ORGANISATION = "%(name)s, version %(version)s"


def names() -> list[str]:
    """All checks in the order they are made, the rights to write among them."""
    found = [ADDRESS, SIGN_IN, USER, ORGANISATION]
    for table in TABLES:
        found += [f"Change tracking of {table}s", f"Read {table}s", f"Write {table}s", f"Create {table}s"]
    return [*found, TIME]


def probes(
    call: Call,
    identity: Callable[[Answer], Identity],
    sign_in: Callable[[], object],
    clock: Callable[[], datetime],
    probe_id: str,
) -> tuple[Probe, ...]:
    """The checks, to be made in this order; those of the rights to write only with a random ``probe_id``."""
    return (
        Probe(ADDRESS, lambda: _address(call), gate=True),
        Probe(SIGN_IN, lambda: _signed_in(call, sign_in), gate=True),
        Probe(USER, lambda: _member(call), gate=True),
        Probe(ORGANISATION, lambda: _organisation(lambda: identity(call(requests.get("WhoAmI"))))),
        *(probe for table in TABLES for probe in _of_table(call, table, probe_id)),
        Probe(TIME, lambda: time_difference(call(requests.get("WhoAmI")), clock())),
    )


def _red(name: str, error: ConnectorError, remedy: str) -> Check:
    """Red, or unknown where the trouble passes by itself."""
    message, detail = told(error)
    remedy = mending(error, remedy)
    return Check(name, None if isinstance(error, PASSING) else False, message, remedy, detail=detail)


def _address(call: Call) -> Check:
    """Asked without a token: an organisation answers 401, anything else is none."""
    try:
        answer = call(requests.unsigned())
        if answer.status != 401:
            answer.object()
    except ConnectorError as error:
        # A refusal with a code of Dataverse's own comes from an organisation, whatever it holds against us.
        if not isinstance(error, PermissionMissing) or not error.code.startswith("0x"):
            return _red(ADDRESS, error, REMEDIES[ADDRESS])
    return Check(ADDRESS, True)


def _signed_in(call: Call, sign_in: Callable[[], object]) -> Check:
    try:
        sign_in()
    except SignInRefused as error:
        sentence, remedy = signin.reason(error)
        return Check(SIGN_IN, False, sentence, remedy, code=error.code)
    except ConnectorError as error:
        return _red(SIGN_IN, error, patience(error, ENTRA))
    try:
        call(requests.get("WhoAmI"))
    except SignInRefused as error:
        return Check(SIGN_IN, False, AUDIENCE, REMEDIES[SIGN_IN], code=error.code)
    except ConnectorError:
        pass  # the token is accepted; what else is wrong the next check tells
    return Check(SIGN_IN, True)


def _member(call: Call) -> Check:
    try:
        call(requests.get("WhoAmI"))
    except ConnectorError as error:
        remedy = MEMBERSHIP.get(error.code, REMEDIES[USER])
        found = _red(USER, error, patience(error, remedy))
        return replace(found, message=found.message.removesuffix(remedy).strip(), code=error.code)
    return Check(USER, True)


def _organisation(identity: Callable[[], Identity]) -> Check:
    try:
        who = identity()
    except (PermissionMissing, Refused) as error:
        return Check(ORGANISATION, False, error.message, REMEDIES[ORGANISATION], accept="organisation")
    if not who.name:
        return Check(ORGANISATION, False, NAMELESS, REMEDIES[ORGANISATION], accept="organisation")
    return Check(ORGANISATION, True, SAID_ORGANISATION, facts={"name": who.name, "version": who.version})


def _of_table(call: Call, table: Table, probe_id: str) -> Iterator[Probe]:
    yield _guarded(f"Change tracking of {table}s", table, lambda name: _is_tracked(call, table, name), needed=True)
    yield _guarded(f"Read {table}s", table, lambda name: _may_read(call, table, name), needed=True)
    if probe_id:
        yield _guarded(f"Write {table}s", table, partial(_may_write, call, table, probe_id))
        yield _guarded(f"Create {table}s", table, lambda name: _may_create(call, table, name), accept="create")


def _guarded(
    name: str, table: Table, check: Callable[[str], Check], *, needed: bool = False, accept: str = ""
) -> Probe:
    """A refusal is the check's result. Who syncs one table only may leave the other's checks red."""
    given_up = accept or str(table)

    def run() -> Check:
        try:
            found = check(name)
        except PermissionMissing as error:
            return Check(name, False, error.message, RIGHT, needed=needed, accept=given_up)
        except ConnectorError as error:
            message, detail = told(error)
            remedy = patience(error, RIGHT)
            return Check(name, None, message, remedy, detail=detail, needed=needed, accept=given_up)
        return found

    return Probe(name, run)


def _is_tracked(call: Call, table: Table, name: str) -> Check:
    on = call(metadata.table_facts(table)).object().get("ChangeTrackingEnabled")
    if not isinstance(on, bool):
        raise Malformed("The table's facts do not say whether changes are tracked.")
    if on:
        return Check(name, True)
    return Check(name, False, UNTRACKED[table], TRACK[table], needed=True, accept=str(table))


def _may_read(call: Call, table: Table, name: str) -> Check:
    """Reads as the sync does: tracking needs the read right for the whole organisation."""
    select = [key_of(table)]
    if call(metadata.table_facts(table)).object().get("ChangeTrackingEnabled") is True:
        request = requests.tracked_page(table, select, size=1, annotated=False)
    else:
        request = requests.get(requests.query(ENTITY_SETS[table], select=",".join(select), top="1"))
    call(request)
    return Check(name, True)


def _may_write(call: Call, table: Table, probe_id: str, name: str) -> Check:
    call(requests.probe_write(table, probe_id))
    return Check(name, True)


def _may_create(call: Call, table: Table, name: str) -> Check:
    """A create with the id of a record that exists can make nothing: 412 shows that the right is there."""
    key = key_of(table)
    oldest = requests.get(requests.query(ENTITY_SETS[table], select=key, orderby="createdon asc", top="1"))
    try:
        id = next((str(row.get(key)) for row in responses.rows_of(call(oldest))), "")
    except PermissionMissing:
        return Check(name, None, LATER)  # the check of reading tells why
    if not is_guid(id):
        return Check(name, None, UNCLEAR if id else EMPTY)
    answer = call(requests.probe_create(table, id))
    if answer.status == 412:
        taken = refusal(answer).code == KEY_EXISTS
        return Check(name, True) if taken else Check(name, None, UNCLEAR, detail=refusal(answer).message)
    return Check(name, True, MADE)
