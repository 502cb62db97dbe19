"""Connecting, metadata, our fields in Marketo, choosing fields, settings."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from uuid import UUID

import pytest

from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.errors import SignInRefused
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.fields import Direction, FieldPair
from syncadmin.engine.records import Table
from syncadmin.services import connect, sandbox_setup, setup
from syncadmin.store import fieldsets, options, schemas, vault
from syncadmin.store.models import AuditEntry, Connection, Failure, FieldSet, Link
from tests.world import DYNAMICS_URL, MARKETO_URL, World

pytestmark = pytest.mark.django_db(transaction=True)

DYNAMICS = DynamicsConfig(
    DYNAMICS_URL, "sandbox", "sandbox", "sandbox-secret", authority=DYNAMICS_URL, allow_private=True
)
MARKETO = MarketoConfig(MARKETO_URL, "sandbox", "sandbox-secret", allow_private=True)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def bare():
    return World(started=False)


def pair(table, column, field, **rules):
    return FieldPair(f"{table}.{column}:{field}", table, column, field, **rules)


# --- connections -----------------------------------------------------------------------------------------------------


def test_a_connection_is_checked_and_saved_sealed(bare):
    connected = setup.connect_dynamics(DYNAMICS, who="ada", world=bare.outside)
    setup.connect_marketo(MARKETO, who="ada", world=bare.outside)

    assert connected.ok
    assert {check.ok for check in connected.checks} <= {True, None}
    row = Connection.objects.get(side="dynamics")
    assert row.account == connected.identity.account != ""
    assert "sandbox-secret" not in row.sealed
    assert vault.unseal(row.sealed) == "sandbox-secret"
    entries = AuditEntry.objects.filter(action="connect").order_by("id")
    assert [entry.subject for entry in entries] == ["dynamics", "marketo"]
    assert "secret" not in str(list(entries.values("before", "after")))


def test_wrong_credentials_are_not_saved(bare):
    wrong = dataclasses.replace(DYNAMICS, client_secret="wrong")
    connected = setup.connect_dynamics(wrong, who="ada", world=bare.outside)

    assert not connected.ok
    red = [check for check in connected.checks if check.ok is False]
    assert red
    assert red[0].remedy
    assert not Connection.objects.exists()


def test_what_is_linked_is_never_pointed_at_another_organisation(world):
    Link.objects.create(table="lead", marketo=1, linked_at=world.clock())
    Connection.objects.filter(side="dynamics").update(account="somebody-elses")
    connected = setup.connect_dynamics(DYNAMICS, who="ada", world=world.outside)

    assert not connected.ok
    assert "somebody-elses" in connected.checks[-1].text
    assert Connection.objects.get(side="dynamics").account == "somebody-elses"
    Link.objects.all().delete()
    assert setup.connect_dynamics(DYNAMICS, who="ada", world=world.outside).ok


def test_without_connections_there_is_no_context():
    with pytest.raises(connect.NotConnected, match="dynamics"):
        connect.context()


def test_a_refused_sign_in_is_remembered_until_one_succeeds(world):
    Connection.objects.filter(side="marketo").update(sealed=vault.seal("changed over there"))
    began = world.clock()
    for _ in range(2):
        with pytest.raises(SignInRefused):
            world.context().marketo.lists()
        world.clock.forward(minutes=1)
    row = Connection.objects.get(side="marketo")
    assert row.refused_since is not None
    assert row.refused_since - began < timedelta(seconds=30)
    assert row.message

    Connection.objects.filter(side="marketo").update(sealed=vault.seal("sandbox-secret"))
    world.context().marketo.lists()
    row.refresh_from_db()
    assert (row.refused_since, row.message) == (None, "")


def test_ids_are_ordered_by_time_and_shaped_as_version_7(world):
    ctx = world.context()
    first = ctx.new_guid()
    world.clock.forward(seconds=1)
    second = ctx.new_guid()

    assert first < second
    assert {id.version for id in (first, second)} == {7}
    assert {id.variant for id in (first, second)} == {UUID(int=0x8 << 60).variant}


# --- metadata --------------------------------------------------------------------------------------------------------


def test_metadata_is_due_every_hour(world):
    assert not setup.is_due(world.clock())
    world.clock.forward(minutes=61)
    assert setup.is_due(world.clock())
    assert setup.refresh_schema(world.context()) == setup.Refreshed()
    assert not setup.is_due(world.clock())


def with_pair(world, *pairs):
    return setup.save_fields(list(pairs), who="ada", now=world.clock())


def test_a_column_that_goes_pauses_its_pair_and_heals_it(world):
    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    setup.refresh_schema(world.context())
    colour = pair(Table.LEAD, "new_colour", "middleName")
    version = with_pair(world, colour, pair(Table.LEAD, "lastname", "lastName"))

    world.dynamics.remove_column("lead", "new_colour")
    refreshed = setup.refresh_schema(world.context())
    assert (refreshed.changed, refreshed.paused, refreshed.healed) == ((Table.LEAD,), (colour.key,), ())
    assert {each.key: each.paused for each in fieldsets.pairs(version)} == {
        colour.key: "gone",
        "lead.lastname:lastName": "",
    }
    assert fieldsets.paused()[colour.key].facts == {"side": "dynamics", "name": "new_colour"}
    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    assert setup.refresh_schema(world.context()).healed == (colour.key,)
    # It takes part again when the loop has made every link ready.
    assert fieldsets.pairs(version)[0].paused == "healing"
    world.sync(2)
    assert [each.paused for each in fieldsets.pairs(version)] == ["", ""]


def test_a_field_that_changes_its_type_pauses_its_pair(world):
    world.marketo.add_field("colour", "Colour")
    setup.refresh_schema(world.context())
    with_pair(world, pair(Table.LEAD, "middlename", "colour"))
    world.marketo.change_field("colour", kind="integer")

    assert setup.refresh_schema(world.context()).paused == ("lead.middlename:colour",)
    pause = fieldsets.paused()["lead.middlename:colour"]
    assert (pause.code, pause.facts) == (
        "retyped",
        {"side": "marketo", "name": "colour", "was": "text", "now": "integer"},
    )


def test_failures_that_wait_for_metadata_become_due(world):
    facts = {"side": "dynamics", "operation": "update", "opened_at": world.clock(), "last_at": world.clock()}
    link = Link.objects.create(table="lead", marketo=1, linked_at=world.clock())
    waiting = Failure.objects.create(subject=f"link:{link.pk}", link=link, cause="read_only", **facts)
    other = Failure.objects.create(subject="link:999", cause="two_automations", **facts)
    setup.refresh_schema(world.context())
    waiting.refresh_from_db()
    assert waiting.next_try_at is None

    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    setup.refresh_schema(world.context())
    for row in (waiting, other, link):
        row.refresh_from_db()
    assert (waiting.next_try_at, other.next_try_at, link.dirty) == (world.clock(), None, True)


# --- our fields in Marketo -------------------------------------------------------------------------------------------


def test_ours_are_made_in_marketo_once(world):
    names = {"dynPersonGuid", "dynPersonType", "dynDeleted"}
    assert names <= schemas.load(Table.PERSON).columns.keys()
    before = options.read().activity_type_id

    assert before > 0
    assert setup.ensure_marketo(world.context()) == setup.Equipped()
    assert options.read().activity_type_id == before


# --- fields ----------------------------------------------------------------------------------------------------------


def test_the_defaults_are_in_force(world):
    keys = [each.key for each in fieldsets.pairs(options.read().field_version)]

    assert {"lead.lastname:lastName", "contact.emailaddress1:email", "lead.companyname:company"} <= set(keys)
    assert "contact.companyname:company" not in keys
    assert keys == [each.key for each in setup.suggested()]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (pair(Table.LEAD, "no_such", "lastName"), "no_such"),
        (pair(Table.LEAD, "lastname", "noSuch"), "noSuch"),
        (pair(Table.CONTACT, "jobtitle", "company"), "leads only"),
        (pair(Table.LEAD, "lastname", "unsubscribed"), "neither can hold"),
        (pair(Table.LEAD, "statecode", "title", direction=Direction.TO_DYNAMICS), "Dynamics does not let"),
        (pair(Table.PERSON, "lastname", "lastName"), "leads or to contacts"),
    ],
)
def test_a_pair_that_cannot_work_is_not_saved(world, wrong, says):
    before = options.read().field_version
    with pytest.raises(setup.WrongPairs, match=says) as caught:
        with_pair(world, pair(Table.LEAD, "firstname", "firstName"), wrong)

    assert list(caught.value.reasons) == [wrong.key]
    assert options.read().field_version == before


def test_a_column_twice_is_not_saved(world):
    with pytest.raises(setup.WrongPairs, match="another pair"):
        with_pair(world, pair(Table.LEAD, "lastname", "lastName"), pair(Table.LEAD, "lastname", "middleName"))


def test_a_saved_set_is_a_version_with_who_and_when(world):
    kept = fieldsets.pairs(options.read().field_version)
    version = with_pair(world, *kept[1:])
    row = FieldSet.objects.get(version=version)
    assert (row.saved_by, row.saved_at, row.source) == ("ada", world.clock(), None)
    entry = AuditEntry.objects.filter(action="fields").latest("id")
    assert (entry.who, entry.after["version"]) == ("ada", version)


# --- settings and start ----------------------------------------------------------------------------------------------


def test_a_setting_is_changed_once_and_audited(world):
    now = world.clock()
    setup.change("wait", 60, who="ada", now=now)
    setup.change("wait", 60, who="ada", now=now)

    assert options.read().wait == 60
    entries = AuditEntry.objects.filter(subject="wait").values_list("who", "action", "before", "after")
    assert list(entries) == [("ada", "setting", 10, 60)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wait", 1),
        ("wait", "60"),
        ("wait", True),
        ("paused", 1),
        ("several", "guess"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("marketo_share", 1.5),
        ("marketo_share", 0),
        ("started", True),
        ("field_version", 9),
    ],
)
def test_a_wrong_setting_is_refused(world, name, value):
    before = options.read()
    with pytest.raises(setup.WrongSetting):
        setup.change(name, value, who="ada", now=world.clock())
    assert options.read() == before


def test_there_is_no_such_setting(world):
    with pytest.raises(KeyError):
        setup.change("no_such", 1, who="ada", now=world.clock())


def test_starting_needs_connections_and_fields(bare):
    with pytest.raises(setup.NotReady, match="Connect"):
        setup.start(who="ada", now=bare.clock())
    setup.connect_dynamics(DYNAMICS, who="ada", world=bare.outside)
    setup.connect_marketo(MARKETO, who="ada", world=bare.outside)
    with pytest.raises(setup.NotReady, match="fields"):
        setup.start(who="ada", now=bare.clock())
    assert options.read().started is False


def test_the_sandbox_is_set_up_in_one_go(bare):
    places = sandbox_setup.Places(DYNAMICS_URL, MARKETO_URL)
    assert not sandbox_setup.is_set_up()
    pairs = sandbox_setup.set_up(places, bare.outside)

    now = options.read()
    assert sandbox_setup.is_set_up()
    assert (now.started, now.wait, now.list_id) == (True, 10, "1207")
    assert pairs == len(fieldsets.pairs(now.field_version)) > 30
