"""Every named check of both systems, red and not checked, with what to do about it: in headless Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.engine.records import Side
from syncadmin.services import checks, connect
from syncadmin.store.models import AuditEntry, Connection
from tests.web.test_browser import _enter, _troubles, browser, pytestmark
from tests.world import DYNAMICS_URL, MARKETO_URL, World

__all__ = ["browser", "pytestmark"]

SECRET, ENTRA = "sandbox-secret", "App registrations"
ADDRESS, SIGN_IN, USER, ORGANISATION = "Address reachable", "Sign-in", "Application user", "Organisation and version"
NETWORK, MEMBERS = "Check the environment's address", "Power Platform admin center, Application users"
ROLE = "Give the application user's role this right (Power Platform admin center, Security roles)."
BUSY, AWAY = "not checked", ("The server cannot serve at the moment.", "Try again in a minute.")


@dataclass(frozen=True)
class Case:
    """``trouble`` is what the sandbox is told; ``says`` are the sentence and the remedy beside the check."""

    check: str
    says: tuple[str, ...]
    state: str = "wrong"
    typed: dict[str, str] = field(default_factory=dict)
    trouble: tuple[dict[str, Any], ...] = ()
    setting: dict[str, Any] = field(default_factory=dict)
    untracked: tuple[str, ...] = ()
    empty: bool = False


def fault(kind: str, path: str, method: str = "*", skip: int = 0, value: Any = None) -> tuple[dict[str, Any], ...]:
    return ({"kind": kind, "path": path, "method": method, "skip": skip, "times": -1, "value": value},)


def typed(**words: str) -> dict[str, str]:
    return words


def of_table(table: str) -> Iterator[Case]:
    schema, rows = table.capitalize(), f"/api/data/v9.2/{table}s"
    track = f"Turn on Track changes for the table {schema}"
    yield Case(f"Change tracking of {table}s", (f"Changes of {table}s are not tracked.", track), untracked=(table,))
    facts = fault("unavailable", f"*EntityDefinitions(LogicalName='{table}')[?]*")
    yield Case(f"Change tracking of {table}s", AWAY, BUSY, trouble=facts)
    yield Case(f"Read {table}s", (f"prvRead{schema}", ROLE), setting={"missing": [f"prvRead{schema}"]})
    yield Case(f"Read {table}s", AWAY, BUSY, trouble=fault("unavailable", f"{rows}[?]*", "GET"))
    yield Case(f"Write {table}s", (f"prvWrite{schema}", ROLE), setting={"missing": [f"prvWrite{schema}"]})
    yield Case(f"Write {table}s", AWAY, BUSY, trouble=fault("unavailable", f"{rows}(*", "PATCH"))
    yield Case(f"Create {table}s", (f"prvCreate{schema}", ROLE), setting={"missing": [f"prvCreate{schema}"]})
    yield Case(f"Create {table}s", AWAY, BUSY, trouble=fault("unavailable", rows, "POST"))


# Signing in: number of the refusal, and words of sentence and remedy.
REFUSALS = {
    900144: ("The sign-in request is incomplete.", "Fill in tenant, client id and client secret."),
    70011: ("not accepted as a scope", "Enter the address as https://name.crm4.dynamics.com."),
    1002012: ("not accepted as a scope", "Enter the address as https://name.crm4.dynamics.com."),
    500011: ("unknown in this tenant", f"{NETWORK} (Power Platform admin center, Environments) and the tenant."),
    7000218: ("The client secret is missing.", "Enter the client secret."),
    53003: ("Microsoft Entra ID refused the sign-in.", "Look the code up in Microsoft's list of AADSTS codes."),
}
UNREADABLE = "Something else answers at this address: what came back cannot be read."
DYNAMICS = (
    Case(ADDRESS, (UNREADABLE, NETWORK), trouble=fault("garbage", "*WhoAmI*")),
    Case(ADDRESS, ("The server did not answer in time.", NETWORK), trouble=fault("timeout_before", "*WhoAmI*")),
    Case(ADDRESS, ("cannot serve at the moment", NETWORK), BUSY, trouble=fault("html", "*WhoAmI*")),
    Case(SIGN_IN, ("The client secret is wrong.", "not its id", "AADSTS7000215"), typed=typed(secret="its-id")),
    Case(SIGN_IN, ("has expired", "Create a new secret", "AADSTS7000222"), typed=typed(secret="expired-secret")),
    Case(SIGN_IN, ("unknown in the tenant", ENTRA, "AADSTS700016"), typed=typed(client_id="nobody")),
    Case(SIGN_IN, ("The tenant does not exist.", ENTRA, "AADSTS90002"), typed=typed(tenant="elsewhere")),
    *(Case(SIGN_IN, (*says, f"AADSTS{code}"), setting={"signin_refuses": code}) for code, says in REFUSALS.items()),
    Case(SIGN_IN, ("belongs to another tenant or cloud", ENTRA), trouble=fault("expired_token", "*WhoAmI*")),
    Case(SIGN_IN, (UNREADABLE, "reach the sign-in address"), trouble=fault("garbage", "*/token")),
    Case(SIGN_IN, AWAY, BUSY, trouble=fault("unavailable", "*/token")),
    Case(SIGN_IN, ("asks for patience", AWAY[1]), BUSY, trouble=fault("rate_limit", "*/token")),
    Case(USER, ("not a member", "Create the application user", MEMBERS), typed=typed(client_id="stranger")),
    Case(USER, ("any security role", "a security role", MEMBERS), typed=typed(client_id="norole")),
    Case(USER, ("disabled", "Enable the application user", MEMBERS), typed=typed(client_id="disabled")),
    Case(USER, ("license", "use an application user"), typed=typed(client_id="unlicensed")),
    Case(USER, AWAY, BUSY, trouble=fault("unavailable", "*WhoAmI*", skip=2)),
    Case(
        ORGANISATION,
        ("settings cannot be read", "read access to the Organization table"),
        setting={"missing": ["prvReadOrganization"]},
    ),
    Case(ORGANISATION, AWAY, BUSY, trouble=fault("unavailable", "*WhoAmI*", skip=3)),
    *of_table("lead"),
    *of_table("contact"),
    Case("Create leads", ("the table is empty",), BUSY, empty=True),
    Case("Time difference", ("3600 seconds", "Set this server's clock"), setting={"clock_ahead": 3600}),
    Case("Time difference", AWAY, BUSY, trouble=fault("unavailable", "*WhoAmI*", skip=4)),
)

ENDPOINT, LAUNCHPOINT = "Copy the endpoint of the REST API anew", "LaunchPoint, the custom service, View Details"
TOKEN, LEADS, LOG = "/identity/*", "/rest/v1/leads", "/rest/v1/activities"
# Check, the permission it names, those taken away for it, method and path of its call.
PERMISSIONS = (
    ("Read people", "Read-Only Lead", ("Read-Only Lead", "Read-Write Lead"), "GET", f"{LEADS}/describe.json*"),
    ("Write people", "Read-Write Lead", ("Read-Write Lead",), "POST", f"{LEADS}.json*"),
    (
        "Read activities",
        "Read-Only Activity",
        ("Read-Only Activity", "Read-Write Activity"),
        "GET",
        f"{LOG}/types.json*",
    ),
    ("Write to the activity log", "Read-Write Activity", ("Read-Write Activity",), "POST", f"{LOG}/external.json*"),
    (
        "Read custom activity types",
        "Read-Write Activity Metadata",
        ("Read-Only Activity Metadata", "Read-Write Activity Metadata"),
        "GET",
        f"{LOG}/external/types.json*",
    ),
    (
        "Create custom fields",
        "Read-Write Schema Custom Field",
        ("Read-Write Schema Custom Field",),
        "GET",
        f"{LEADS}/schema/*",
    ),
)
MARKETO = (
    Case("Address", (UNREADABLE, ENDPOINT), trouble=fault("garbage", TOKEN)),
    Case("Address", (UNREADABLE, ENDPOINT), trouble=fault("html", TOKEN)),
    Case("Address", ("The server did not answer in time.", ENDPOINT), trouble=fault("timeout_before", TOKEN)),
    Case("Address", ("cannot serve at the moment", ENDPOINT), BUSY, trouble=fault("unavailable", TOKEN)),
    Case("Sign-in", ("does not know this client id and secret", LAUNCHPOINT), typed=typed(secret="another")),
    Case("Sign-in", ("does not know this client id and secret", LAUNCHPOINT), typed=typed(client_id="nobody")),
    Case("Sign-in", AWAY, BUSY, trouble=fault("unavailable", TOKEN, skip=1)),
    *(
        Case(
            check, (f"the permission {name} is missing", f"tick '{name}' under"), setting={"missing_permissions": gone}
        )
        for check, name, gone, _, _ in PERMISSIONS
    ),
    *(Case(check, AWAY, BUSY, trouble=fault("unavailable", path, method)) for check, _, _, method, path in PERMISSIONS),
    Case("Calls of today", AWAY, BUSY, trouble=fault("unavailable", "/rest/v1/stats/*")),
    Case("Time difference", ("seconds", "Set this server's clock"), setting={"clock_ahead": 3600}),
    Case("Time difference", AWAY, BUSY, trouble=fault("unavailable", "/rest/v1/stats/*", skip=1)),
    Case(
        "No native CRM sync",
        ("2 fields belong to a CRM sync of Marketo's own", "Switch the native one off (Admin > CRM)"),
        setting={"crm_managed": ["email", "firstName"]},
    ),
    Case("No native CRM sync", AWAY, BUSY, trouble=fault("unavailable", f"{LEADS}/describe2.json*")),
)
CASES = {Side.DYNAMICS: DYNAMICS, Side.MARKETO: MARKETO}


@pytest.fixture
def systems(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    cache.clear()
    world = World(started=False)
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    return world


@contextmanager
def provoked(world: World, side: Side, case: Case) -> Iterator[None]:
    """The sandbox misbehaves as the case says, and is well again afterwards."""
    tables = ("lead", "contact") if side is Side.DYNAMICS else ()
    made = [] if case.empty else [(table, world.dynamics.create(table, {"lastname": "Vik"})) for table in tables]
    sandbox = world.dynamics if side is Side.DYNAMICS else world.marketo
    for order in case.trouble:
        sandbox.faults.add(order)
    change: Callable[..., None] = world.dynamics.configure if side is Side.DYNAMICS else world.marketo.set_knobs
    change(**case.setting)
    for table in case.untracked:
        world.dynamics.set_tracking(table, False)
    try:
        yield
    finally:
        sandbox.faults.clear()
        change(**{name: 0 if isinstance(value, int) else [] for name, value in case.setting.items()})
        for table in case.untracked:
            world.dynamics.set_tracking(table, True)
        for table, id in made:
            world.dynamics.delete(table, id)
        # What was saved by the checks that only stayed open.
        Connection.objects.all().delete()
        AuditEntry.objects.all().delete()
        for session in Session.objects.all():
            kept = SessionStore(session.session_key)
            kept.pop(f"connect-{side}", None)
            kept.save()


def ask(page: Page, side: Side, **words: str) -> None:
    """Types the access, with what is wrong in it, and sends it."""
    words = {"client_id": "sandbox", "secret": SECRET, "tenant": "sandbox", **words}
    page.goto(f"/settings/connections/{side}/")
    if side is Side.DYNAMICS:
        page.get_by_label("Address of the organisation").fill(words.get("url", DYNAMICS_URL))
        page.get_by_label("Tenant", exact=True).fill(words["tenant"])
    else:
        page.get_by_label("Endpoint, identity address or Munchkin id").fill(words.get("url", MARKETO_URL))
    page.get_by_label("Client id").fill(words["client_id"])
    page.get_by_label("Client secret").fill(words["secret"])
    page.get_by_role("button", name="Check and save").click()


def shows(page: Page, case: Case) -> None:
    row = page.locator("#checks li").filter(has=page.locator("b", has_text=re.compile(f"^{case.check}$")))
    expect(row.locator(".badge")).to_have_text(case.state)
    for words in case.says:
        expect(row).to_contain_text(words)


def play(page: Page, world: World, side: Side, cases: Iterable[Case]) -> None:
    for case in cases:
        with provoked(world, side, case):
            before, began = world.mark(), world.clock()
            ask(page, side, **case.typed)
            shows(page, case)
            assert world.clock() - began <= timedelta(seconds=15), case
            expect(page.locator("#checks .card-head p")).to_have_text(re.compile("saved"), timeout=30_000)
            assert world.mark() == before, case
            if case.state == "wrong":
                expect(page.get_by_text("Not saved")).to_be_visible()
                assert not Connection.objects.exists() and not AuditEntry.objects.exists(), case


# Marketo's red ones belong to every test run; all others to the long one, as what they do without a browser is tested
# beside the services.
STATES = pytest.mark.parametrize("state", ["wrong", BUSY], ids=["red", "uncertain"])


def all_of(browser: Browser, server: LiveServer, systems: World, side: Side, state: str) -> None:
    cases = [case for case in CASES[side] if case.state == state]
    # What others use of the day is told and judged by nobody, so that check is never red.
    never = {"Calls of today"} & set(checks.names(side)) if state == "wrong" else set()
    assert {case.check for case in cases} | never == set(checks.names(side))
    page = _enter(browser, server, "ada").new_page()
    told = _troubles(page)
    play(page, systems, side, cases)
    assert told == []


@pytest.mark.long
@STATES
def test_every_check_of_dynamics_tells_what_to_do(
    browser: Browser, live_server: LiveServer, systems: World, state: str
) -> None:
    all_of(browser, live_server, systems, Side.DYNAMICS, state)


@STATES
def test_every_check_of_marketo_tells_what_to_do(
    browser: Browser, live_server: LiveServer, systems: World, state: str
) -> None:
    all_of(browser, live_server, systems, Side.MARKETO, state)


def test_every_check_goes_red_without_script(browser: Browser, live_server: LiveServer, systems: World) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=False).new_page()
    for side, cases in CASES.items():
        first = {case.check: case for case in reversed(cases) if case.state == "wrong"}
        play(page, systems, side, first.values())
