"""`manage.py connect` and `manage.py setting`, against both sandboxes."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from syncadmin.services import connect, cycle
from syncadmin.store import fieldsets, options, vault
from syncadmin.store.models import AuditEntry, Connection, Link
from tests.world import DYNAMICS_URL, MARKETO_URL, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served(monkeypatch):
    """The addresses of both sandboxes; the commands reach them by HTTP messages in this process."""
    world = World(started=False)
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    return {"dynamics": DYNAMICS_URL, "marketo": MARKETO_URL}


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("DYNAMICS_CLIENT_SECRET", "sandbox-secret")
    monkeypatch.setenv("MARKETO_CLIENT_SECRET", "sandbox-secret")


def run(*words, **more):
    out = io.StringIO()
    call_command(*words, stdout=out, **more)
    return out.getvalue()


def dynamics(served):
    return (
        "connect", "dynamics", "--url", served["dynamics"], "--tenant", "sandbox", "--client-id", "sandbox",
        "--authority", served["dynamics"], "--allow-private",
    )  # fmt: skip


def marketo(served):
    return "connect", "marketo", "--url", served["marketo"], "--client-id", "sandbox", "--allow-private"


def test_the_four_steps_lead_to_a_running_sync(served, secrets):
    told = run(*dynamics(served))
    assert "ok    Change tracking of leads" in told
    assert "Saved. We are" in told
    assert "ok    Write people" in run(*marketo(served))

    assert "Chosen now: field pairs, " in run("connect", "prepare")
    version = options.read().field_version
    pairs = fieldsets.pairs(version)
    assert {"emailaddress1", "lastname"} <= {pair.dynamics for pair in pairs}
    assert options.read().activity_type_id

    assert not options.read().started
    run("connect", "start")
    assert options.read().started

    passed = cycle.once(connect.context(worker="test"))
    assert (passed.message, passed.finished_at is None) == ("", False)
    # A second time nothing is chosen anew: somebody may have changed the fields since.
    assert "Chosen before" in run("connect", "prepare")
    assert options.read().field_version == version
    assert set(AuditEntry.objects.filter(action="connect").values_list("who", flat=True)) == {"manage.py connect"}


def test_a_secret_is_sealed_and_never_an_argument(served, secrets):
    told = run(*dynamics(served))

    assert "sandbox-secret" not in told
    row = Connection.objects.get(side="dynamics")
    assert "sandbox-secret" not in str(row.config) + row.sealed
    assert vault.unseal(row.sealed) == "sandbox-secret"
    with pytest.raises(CommandError, match="unrecognized arguments"):
        run(*dynamics(served), "--client-secret", "sandbox-secret")


def test_without_the_variable_the_secret_is_asked_for(served, monkeypatch):
    monkeypatch.delenv("MARKETO_CLIENT_SECRET", raising=False)
    asked = []
    monkeypatch.setattr(
        "syncadmin.management.commands.connect.getpass", lambda prompt: asked.append(prompt) or "sandbox-secret"
    )
    run(*marketo(served))
    assert asked == ["Client secret (MARKETO_CLIENT_SECRET is not set): "]

    monkeypatch.setattr("syncadmin.management.commands.connect.getpass", lambda prompt: " ")
    with pytest.raises(CommandError, match="No secret was given"):
        run(*marketo(served))


def test_a_wrong_secret_saves_nothing_and_says_what_to_do(served, monkeypatch):
    monkeypatch.setenv("DYNAMICS_CLIENT_SECRET", "not-the-secret")
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was saved"):
        call_command(*dynamics(served), stdout=out)

    assert "FAIL  Sign-in" in out.getvalue()
    assert "App registrations" in out.getvalue()
    assert not Connection.objects.exists()


def test_a_private_address_needs_to_be_allowed(served, secrets):
    words = [word for word in marketo(served) if word != "--allow-private"]
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was saved"):
        call_command(*words, stdout=out)
    assert "lies inside a private network" in out.getvalue()
    assert not Connection.objects.exists()


@pytest.mark.parametrize(("step", "why"), [("prepare", "no connection to dynamics"), ("start", "Connect Dynamics")])
def test_a_step_out_of_order_is_refused_in_a_sentence(step, why):
    with pytest.raises(CommandError, match=why):
        run("connect", step)
    assert not options.read().started


def test_settings_are_listed_shown_changed_and_audited():
    assert 'filter_column = "new_synctomkto"\n' in run("setting")
    assert run("setting", "wait") == "wait = 300\n"

    assert run("setting", "time_zone", "Europe/Vienna") == 'time_zone = "Europe/Vienna"\n'
    run("setting", "observe_only", "True")
    run("setting", "deletes_share", "0.05")
    run("setting", "list_id", "1042")

    now = options.read()
    assert (now.time_zone, now.observe_only, now.deletes_share, now.list_id) == ("Europe/Vienna", True, 0.05, "1042")
    entry = AuditEntry.objects.get(subject="time_zone")
    assert (entry.who, entry.before, entry.after) == ("manage.py setting", "UTC", "Europe/Vienna")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nonsense",), "no setting called nonsense"),
        (("nonsense", "1"), "no setting called nonsense"),
        (("wait", "soon"), "takes a value like 300"),
        (("wait", "1"), "5 or more"),
        (("several", "both"), "one of ask, contact_first, each"),
        (("time_zone", "Mars/Olympus"), "a name like Europe/Vienna"),
        (("started", "true"), "not changed by hand"),
    ],
)
def test_a_wrong_setting_changes_nothing(words, why):
    before = options.read()
    with pytest.raises(CommandError, match=why):
        run("setting", *words)
    assert options.read() == before
    assert not Link.objects.exists()
