"""The wizard's connect steps, with both sandboxes behind them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from syncadmin.services import alarms, connect
from syncadmin.store import options, vault
from syncadmin.store.models import AuditEntry, Connection, Link
from tests.world import DYNAMICS_URL, MARKETO_URL, World

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sandbox-secret"
DYNAMICS = {"action": "check", "url": DYNAMICS_URL, "tenant": "sandbox", "client_id": "sandbox", "secret": SECRET}
MARKETO = {"action": "check", "url": MARKETO_URL, "client_id": "sandbox", "secret": SECRET, "quota": "40000"}
FIRST, SECOND = "/setup/dynamics/", "/setup/marketo/"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> World:
    """Both systems, and nothing set up yet."""
    world = World(started=False)
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    return world


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def states(answer) -> dict[str, str]:
    """The checks on a page: name and state."""
    found = re.findall(r'<li class="(\w+)">\s*<span class="badge.*?<b>(.*?)</b>', answer.content.decode(), re.DOTALL)
    return {name: state for state, name in found}


def reds(answer) -> list[str]:
    return [name for name, state in states(answer).items() if state == "bad"]


def saved(side: str) -> bool:
    return Connection.objects.filter(side=side).exists()


# --- where the wizard leads ------------------------------------------------------------------------------------------


def test_a_new_installation_lands_on_the_first_step(ada: Client, outside: World) -> None:
    assert ada.get("/", follow=True).redirect_chain == [("/setup/", 302), (FIRST, 302)]


def test_others_read_a_sentence(vic: Client, oscar: Client, outside: World) -> None:
    for client in (vic, oscar):
        assert "an administrator connects both systems" in text(client.get("/setup/"))
        assert client.get(FIRST).status_code == 403
        assert client.post(FIRST, DYNAMICS).status_code == 403
        assert client.get("/").status_code == 200
    assert not saved("dynamics")


def test_a_later_step_leads_to_the_one_that_is_next(ada: Client, outside: World) -> None:
    for later in (SECOND, "/setup/scope/"):
        assert ada.get(later, follow=True).redirect_chain[0][0] == FIRST


# --- Dynamics ----------------------------------------------------------------------------------------------------------


def test_good_credentials_are_checked_and_saved(ada: Client, outside: World) -> None:
    outside.dynamics.create("lead", {"lastname": "Vik"})
    outside.dynamics.create("contact", {"lastname": "Vik"})
    answer = ada.post(FIRST, DYNAMICS, follow=True)

    assert answer.redirect_chain == [(FIRST, 302)]
    found = states(answer)
    assert len(found) == 13
    assert set(found.values()) <= {"good", "warn"}
    assert [name for name, state in found.items() if state == "warn"] == ["Time difference"]
    assert vault.unseal(Connection.objects.get(side="dynamics").sealed) == SECRET
    assert SECRET not in answer.content.decode()
    entry = AuditEntry.objects.get(action="connect")
    assert (entry.who, entry.subject) == ("ada", "dynamics")
    assert SECRET not in str(entry.after)


def test_one_click_takes_the_sandbox(ada: Client, outside: World) -> None:
    assert "This computer runs a sandbox" in text(ada.get(FIRST))
    ada.post(FIRST, {"action": "sandbox"})
    ada.post(SECOND, {"action": "sandbox"})

    assert saved("dynamics")
    assert saved("marketo")
    assert options.read().wait == 10


def test_without_a_sandbox_none_is_offered(ada: Client, outside: World, settings) -> None:
    settings.SANDBOX_ADDRESSES = {}
    assert "sandbox" not in text(ada.get(FIRST)).replace("sandbox_", "")
    assert ada.post(FIRST, {"action": "sandbox"}).status_code == 404


def test_each_check_shows_as_it_finishes(ada: Client, outside: World, part: dict[str, str]) -> None:
    begun = ada.post(FIRST, DYNAMICS, headers=part)
    assert (begun.status_code, begun.headers["HX-Redirect"]) == (204, FIRST)
    assert set(states(ada.get(FIRST)).values()) == {"now", "later"}
    for number in range(1, 13):
        answer = ada.post(FIRST, {"action": "next"}, headers=part)
        assert list(states(answer).values())[number:] == ["now", *["later"] * (12 - number)]
        assert "<html" not in answer.content.decode()
        assert not saved("dynamics")
    assert ada.post(FIRST, {"action": "next"}, headers=part).headers["HX-Redirect"] == FIRST
    assert saved("dynamics")


def test_without_script_the_rest_is_checked_at_once(ada: Client, outside: World, part: dict[str, str]) -> None:
    ada.post(FIRST, DYNAMICS, headers=part)
    ada.post(FIRST, {"action": "next"})
    assert saved("dynamics")


@pytest.mark.parametrize(
    ("typed", "red", "says"),
    [
        ({"secret": "wrong"}, "Sign-in", "Paste the secret&#x27;s value, not its id"),
        ({"secret": "expired-secret"}, "Sign-in", "Create a new secret"),
        ({"client_id": "nobody"}, "Sign-in", "AADSTS700016"),
        ({"tenant": "elsewhere"}, "Sign-in", "AADSTS90002"),
        ({"client_id": "stranger"}, "Application user", "Create the application user"),
        ({"client_id": "norole"}, "Application user", "security role"),
        ({"client_id": "disabled"}, "Application user", "Enable the application user"),
    ],
)
def test_a_wrong_access_is_named_with_its_remedy(
    ada: Client, outside: World, typed: dict[str, str], red: str, says: str
) -> None:
    answer = ada.post(FIRST, DYNAMICS | typed, follow=True)
    assert reds(answer) == [red]
    assert says in text(answer)
    assert "Not saved" in text(answer)
    assert not saved("dynamics")
    assert not AuditEntry.objects.filter(action="connect").exists()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://169.254.169.254/", "must begin with https"),
        ("https://169.254.169.254/latest/meta-data", "inside a private network"),
        ("https://10.0.0.7", "inside a private network"),
        ("https://127.0.0.1:1", "inside a private network"),
        ("https://[::ffff:10.0.0.7]", "inside a private network"),
    ],
)
def test_an_address_inside_is_refused(ada: Client, outside: World, address: str, says: str) -> None:
    answer = ada.post(FIRST, DYNAMICS | {"url": address}, follow=True)
    assert reds(answer) == ["Address reachable"]
    assert says in text(answer)
    assert ("--allow-private" in text(answer)) is ("private" in says)
    assert not saved("dynamics")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://make.powerapps.com/environments/x", "address of a Microsoft portal"),
        ("not an address", "must look like contoso.crm4.dynamics.com"),
        ("", "This field is required"),
    ],
)
def test_what_can_be_no_address_is_told_at_the_field(ada: Client, outside: World, address: str, says: str) -> None:
    answer = ada.post(FIRST, DYNAMICS | {"url": address})
    assert says in text(answer)
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("kind", ["html", "garbage", "empty", "timeout_before", "error"])
def test_a_server_that_answers_nonsense_is_told(ada: Client, outside: World, kind: str) -> None:
    outside.dynamics.faults.add({"kind": kind, "path": "*WhoAmI*", "times": -1})
    began = outside.clock()
    answer = ada.post(FIRST, DYNAMICS, follow=True)
    assert states(answer)["Address reachable"] in ("bad", "warn")
    assert "Not saved" in text(answer)
    assert not saved("dynamics")
    assert outside.clock() - began <= timedelta(seconds=15)


def test_missing_rights_are_named_and_may_be_done_without(ada: Client, outside: World) -> None:
    outside.dynamics.create("lead", {"lastname": "Vik"})
    outside.dynamics.create("contact", {"lastname": "Vik"})
    outside.dynamics.configure(missing=["prvWriteContact", "prvCreateLead"])
    answer = ada.post(FIRST, DYNAMICS, follow=True)

    assert reds(answer) == ["Create leads", "Write contacts"]
    assert "prvCreateLead" in text(answer)
    assert "Only leads are synced" in text(answer)
    assert not saved("dynamics")
    ada.post(FIRST, {"action": "accept", "accept": ["create"]})
    assert not saved("dynamics")
    ada.post(FIRST, {"action": "accept", "accept": ["create", "contact"]})
    assert saved("dynamics")
    assert (options.read().leads, options.read().contacts) == (True, False)


def test_tracking_off_on_both_tables_cannot_be_accepted(ada: Client, outside: World) -> None:
    for table in ("lead", "contact"):
        outside.dynamics.set_tracking(table, False)
    answer = ada.post(FIRST, DYNAMICS, follow=True)
    assert reds(answer) == ["Change tracking of leads", "Change tracking of contacts"]
    assert "Turn on Track changes for the table Lead" in text(answer)
    ada.post(FIRST, {"action": "accept", "accept": ["lead", "contact"]})
    assert not saved("dynamics")


def test_a_clock_that_is_wrong_is_told(ada: Client, outside: World) -> None:
    outside.dynamics.configure(clock_ahead=3600)
    answer = ada.post(FIRST, DYNAMICS, follow=True)
    assert reds(answer) == ["Time difference"]
    assert "Set this server&#x27;s clock" in text(answer)


def test_what_was_typed_stays_but_not_the_secret(ada: Client, outside: World) -> None:
    answer = ada.post(FIRST, DYNAMICS | {"tenant": "elsewhere"}, follow=True)
    assert 'value="elsewhere"' in text(answer)
    assert SECRET not in answer.content.decode()
    assert "Nothing is saved yet. Leave empty to try the secret" in text(answer)
    assert "A secret is stored" not in text(answer)
    # The secret is kept: only what was wrong is typed again.
    ada.post(FIRST, DYNAMICS | {"secret": ""})
    assert saved("dynamics")


def test_the_checks_write_nothing(ada: Client, outside: World) -> None:
    outside.dynamics.create("lead", {"lastname": "Vik"})
    outside.dynamics.create("contact", {"lastname": "Vik"})
    before = outside.mark()
    ada.post(FIRST, DYNAMICS)
    ada.post(SECOND, MARKETO)
    assert saved("marketo")
    assert outside.mark() == before


# --- Marketo -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def half(ada: Client, outside: World) -> World:
    """Dynamics is connected."""
    ada.post(FIRST, DYNAMICS)
    assert saved("dynamics")
    return outside


def test_marketo_is_connected_and_equipped_on_a_click(ada: Client, half: World) -> None:
    answer = ada.post(SECOND, MARKETO | {"url": f"{MARKETO_URL}/rest"}, follow=True)
    assert saved("marketo")
    assert options.read().marketo_quota == 40_000
    assert "calls were made today" in text(answer)
    assert "Create what is missing in Marketo" in text(answer)
    assert ada.get("/setup/scope/").status_code == 302

    answer = ada.post(SECOND, {"action": "equip"}, follow=True)
    assert "all there" in text(answer)
    assert options.read().activity_type_id > 0
    assert ada.get("/setup/", follow=True).redirect_chain[-1][0] == "/setup/scope/"


@pytest.mark.parametrize(
    ("permission", "red", "saves"),
    [
        ("Read-Write Lead", "Write people", False),
        ("Read-Write Activity", "Write to the activity log", True),
        ("Read-Write Schema Custom Field", "Create custom fields", True),
    ],
)
def test_a_missing_permission_is_named(ada: Client, half: World, permission: str, red: str, saves: bool) -> None:
    half.marketo.set_knobs(missing_permissions=[permission])
    answer = ada.post(SECOND, MARKETO, follow=True)
    assert reds(answer) == [red]
    assert f"tick &#x27;{permission}&#x27;" in text(answer)
    assert not saved("marketo")
    ada.post(SECOND, {"action": "accept", "accept": ["log", "schema", "types"]})
    assert saved("marketo") is saves


def test_an_account_that_forbids_fields_gets_the_recipe(ada: Client, half: World) -> None:
    half.marketo.set_knobs(missing_permissions=["Read-Write Schema Custom Field"])
    ada.post(SECOND, MARKETO)
    ada.post(SECOND, {"action": "accept", "accept": ["schema"]})
    answer = ada.post(SECOND, {"action": "equip"}, follow=True)
    assert "Not everything is there yet" in text(answer)
    assert "<code>dynPersonGuid</code>, string" in text(answer)
    # Somebody makes them by hand.
    for name, kind in (("dynPersonGuid", "string"), ("dynPersonType", "string"), ("dynDeleted", "boolean")):
        half.marketo.add_field(name, name, kind)
    assert "all there" in text(ada.post(SECOND, {"action": "equip"}, follow=True))


@pytest.mark.parametrize("typed", [{"secret": "wrong"}, {"client_id": "nobody"}])
def test_wrong_credentials_of_marketo(ada: Client, half: World, typed: dict[str, str]) -> None:
    answer = ada.post(SECOND, MARKETO | typed, follow=True)
    assert reds(answer) == ["Sign-in"]
    assert "LaunchPoint" in text(answer)
    assert not saved("marketo")


def test_a_native_sync_allows_to_observe_only(ada: Client, half: World) -> None:
    half.marketo.set_knobs(crm_managed=["email", "firstName"])
    answer = ada.post(SECOND, MARKETO, follow=True)
    assert reds(answer) == ["No native CRM sync"]
    assert "Observe only" in text(answer)
    assert not saved("marketo")
    ada.post(SECOND, {"action": "accept", "accept": ["native"]})
    assert saved("marketo")
    assert options.read().observe_only is True


# --- afterwards --------------------------------------------------------------------------------------------------------

SETTINGS = "/settings/connections/dynamics/"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    Link.objects.create(table="lead", marketo=1, linked_at=world.clock())
    return world


def test_a_new_secret_is_checked_before_it_replaces_the_old_one(ada: Client, running: World) -> None:
    before = Connection.objects.get(side="dynamics").sealed
    answer = ada.post(SETTINGS, DYNAMICS | {"secret": "wrong"}, follow=True)
    assert reds(answer) == ["Sign-in"]
    assert Connection.objects.get(side="dynamics").sealed == before

    ada.post(SETTINGS, DYNAMICS | {"secret": SECRET, "expires": "2027-05-01"})
    row = Connection.objects.get(side="dynamics")
    assert row.sealed != before
    assert row.config["expires"] == "2027-05-01"
    page = text(ada.get("/settings/connections/"))
    assert "by ada" in page
    assert "May 1, 2027" in page


def test_the_day_the_secret_ends_is_reminded_of_wherever_it_was_typed(ada: Client, running: World) -> None:
    ada.post(SETTINGS, DYNAMICS | {"secret": SECRET, "expires": "2027-05-01"})
    assert set(alarms.standing(datetime(2027, 4, 25, tzinfo=UTC))) >= {"expiring"}
    assert "2027-05-01" in ada.get("/settings/notifications/").content.decode()
    limits = {"alarm_failures": "50", "backlog_minutes": "60", "alarm_expiry_days": "30"}
    ada.post("/settings/notifications/limits/", {**limits, "dynamics_secret_until": "2028-06-30"})
    assert "June 30, 2028" in text(ada.get("/settings/connections/"))
    assert 'value="2028-06-30"' in ada.get(f"{SETTINGS}?change=1").content.decode()


def test_a_kept_secret_goes_to_no_other_host(ada: Client, running: World) -> None:
    answer = ada.post(SETTINGS, DYNAMICS | {"url": "https://evil.crm4.dynamics.com", "secret": ""})
    assert "enter the secret again" in text(answer)
    assert Connection.objects.get(side="dynamics").base_url == DYNAMICS_URL


def test_another_organisation_is_refused_with_the_way_out(ada: Client, running: World) -> None:
    Connection.objects.filter(side="dynamics").update(account="somebody-elses")
    answer = ada.post(SETTINGS, DYNAMICS, follow=True)
    assert "what is linked so far belongs to somebody-elses" in text(answer)
    assert "set up a new syncadmin" in text(answer)
    assert Connection.objects.get(side="dynamics").account == "somebody-elses"


def test_checking_again_changes_nothing(ada: Client, running: World) -> None:
    running.dynamics.configure(missing=["prvReadContact"])
    before = Connection.objects.get(side="dynamics")
    answer = ada.post(SETTINGS, {"action": "again"}, follow=True)
    assert reds(answer) == ["Read contacts"]
    assert "nothing was changed" in text(answer)
    after = Connection.objects.get(side="dynamics")
    assert (before.sealed, before.connected_at) == (after.sealed, after.connected_at)


def test_disconnecting_asks_pauses_and_keeps_the_history(ada: Client, running: World) -> None:
    ada.post(SETTINGS, {"action": "disconnect"})
    assert saved("dynamics")
    ada.post(SETTINGS, {"action": "disconnect", "sure": "yes"})
    assert not saved("dynamics")
    assert options.read().paused is True
    assert Link.objects.count() == 1
    entry = AuditEntry.objects.get(action="disconnect")
    assert (entry.who, entry.subject) == ("ada", "dynamics")
    assert "sealed" not in entry.before

    # It still knows what the links belong to.
    options.write("dynamics_account", "somebody-elses")
    answer = ada.post(SETTINGS, DYNAMICS, follow=True)
    assert "belongs to somebody-elses" in text(answer)
    options.write("dynamics_account", "")
    ada.post(SETTINGS, DYNAMICS)
    assert saved("dynamics")
