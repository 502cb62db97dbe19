"""What is pasted as an address, what a finished list of checks allows, and that every sentence has its words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from syncadmin.connectors import probes
from syncadmin.connectors.contract import Check
from syncadmin.connectors.dynamics import address, refusals, signin
from syncadmin.connectors.dynamics import checks as dynamics_checks
from syncadmin.connectors.errors import Refused
from syncadmin.connectors.marketo import checks as marketo_checks
from syncadmin.connectors.marketo import permissions
from syncadmin.engine.records import Side
from syncadmin.services import checks, connecting, connections, sandbox_setup
from syncadmin.services.checks import Attempt
from syncadmin.store import options
from syncadmin.store.models import Connection, DynamicsRecord, Link
from syncadmin.web.words import checks as words
from tests.world import DYNAMICS_URL, MARKETO_URL, World

ORG = "https://contoso.crm4.dynamics.com"


@pytest.mark.parametrize(
    "pasted",
    [
        "contoso.crm4.dynamics.com",
        " https://contoso.crm4.dynamics.com/ ",
        "HTTPS://Contoso.CRM4.Dynamics.com",
        "https://contoso.crm4.dynamics.com/main.aspx?appid=8f1&pagetype=entitylist&etn=lead#x",
        "contoso.crm4.dynamics.com/main.aspx",
        "https://contoso.api.crm4.dynamics.com/api/data/v9.2/",
        '"https://contoso.crm4.dynamics.com"',
        "<https://contoso.crm4.dynamics.com/apps/uclient>",
    ],
)
def test_what_people_paste_is_understood(pasted):
    assert address.normalised(pasted) == ORG


def test_a_port_and_plain_http_stay_as_typed():
    assert address.normalised("http://127.0.0.1:8101/x") == "http://127.0.0.1:8101"
    assert address.normalised("https://[::1]:8101/x") == "https://[::1]:8101"


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "https://",
        "two words",
        "ftp://x.example",
        "https://me:secret@x.example",
        "https://x.example:port",
        "https://[",
    ],
)
def test_what_can_be_no_address_is_refused(pasted):
    with pytest.raises(Refused):
        address.normalised(pasted)


@pytest.mark.parametrize("pasted", ["https://make.powerapps.com/environments/1", "admin.powerplatform.microsoft.com"])
def test_a_portal_is_recognised(pasted):
    with pytest.raises(Refused, match="Microsoft portal"):
        address.normalised(pasted)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        (ORG, "https://login.microsoftonline.com"),
        ("https://x.crm9.dynamics.com", "https://login.microsoftonline.com"),
        ("https://x.crm.microsoftdynamics.us", "https://login.microsoftonline.us"),
        ("https://x.crm.dynamics.cn", "https://login.partner.microsoftonline.cn"),
    ],
)
def test_the_cloud_follows_from_the_address(url, authority):
    assert address.authority_of(url) == authority


@pytest.mark.parametrize(
    ("pasted", "tenant"),
    [
        (" contoso.com ", "contoso.com"),
        ("7B1C9C52-0E0E-4A0E-9D51-6F6A2B8F1A10", "7b1c9c52-0e0e-4a0e-9d51-6f6a2b8f1a10"),
        ("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token", "contoso.com"),
    ],
)
def test_the_tenant_is_taken_from_what_is_pasted(pasted, tenant):
    assert address.tenant_of(pasted) == tenant


# --- what the checks allow ---------------------------------------------------------------------------------------------


def done(side=Side.DYNAMICS, **wrong):
    """All checks green but these: name with underscores, (ok, accept, needed)."""
    given = {name.replace("_", " "): each for name, each in wrong.items()}
    return [
        Check(name, *((given[name][0],) if name in given else (True,)), accept=given[name][1], needed=given[name][2])
        if name in given
        else Check(name, True)
        for name in checks.names(side)
    ]


@pytest.mark.parametrize(
    ("found", "blocked", "to_accept"),
    [
        (done(), False, ()),
        (done(Write_leads=(None, "", False)), False, ()),
        (done(Read_leads=(None, "lead", True)), False, ("lead",)),
        (done(Read_leads=(False, "lead", True)), False, ("lead",)),
        (done(Read_leads=(False, "lead", True), Read_contacts=(False, "contact", True)), True, ("lead", "contact")),
        (done(Time_difference=(False, "", False)), True, ()),
        (done(Create_leads=(False, "create", False)), False, ("create",)),
        (done()[:-1], True, ()),
    ],
)
def test_what_a_list_of_checks_allows(found, blocked, to_accept):
    assert checks.verdict(Side.DYNAMICS, found) == checks.Verdict(blocked, to_accept)


def test_every_sentence_of_a_check_has_its_words():
    said = {*dynamics_checks.names(), *marketo_checks.names(), *probes.SENTENCES, *dynamics_checks.REMEDIES.values()}
    said |= {*dynamics_checks.TRACK.values(), *dynamics_checks.UNTRACKED.values(), permissions.RECIPE}
    for module in (dynamics_checks, marketo_checks):
        told = {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
        said |= told - {marketo_checks.PARTITION, refusals.KEY_EXISTS}
    said |= set(refusals.MEMBERSHIP.values())
    for sentence, remedy in signin.REASONS.values():
        said |= {sentence, remedy}
    said |= {signin.REFUSED, signin.WHERE, address.PORTAL, connections.ELSEWHERE, connections.WAY_OUT, connections.SAME}
    assert said - set(words.SENTENCES) == set()
    assert {"lead", "contact", "create", "organisation", "native", "log", "types", "schema"} == set(words.CONSEQUENCES)


# --- around them -------------------------------------------------------------------------------------------------------


def asked(**typed):
    return Attempt(**{"side": Side.DYNAMICS, "url": ORG, "client_id": "c", "secret": "s", "tenant": "t", **typed})


def test_a_secret_is_never_in_what_is_printed_or_kept():
    attempt = asked(secret="very-secret")
    assert "very-secret" not in repr(attempt)
    assert "very-secret" not in str(attempt.sealed())
    assert Attempt.unsealed(attempt.sealed()) == attempt


@pytest.mark.django_db
def test_a_kept_secret_is_used_for_the_same_hosts_only():
    before = connecting.completed(asked(), None)
    assert connecting.completed(asked(secret="", url=f"{ORG}/main.aspx"), before).secret == "s"
    for elsewhere in ({"url": "https://evil.example"}, {"authority": "https://evil.example"}):
        with pytest.raises(connecting.SecretWanted):
            connecting.completed(asked(secret="", **elsewhere), before)


@pytest.mark.django_db
def test_only_the_sandbox_of_this_computer_may_be_inside(settings):
    assert connecting.completed(asked(url=DYNAMICS_URL), None).allow_private
    assert not connecting.completed(asked(url="http://127.0.0.1:9999"), None).allow_private
    beside = Attempt(Side.MARKETO, MARKETO_URL, "sandbox", "s", identity_url="https://10.0.0.1")
    assert connecting.completed(beside, None).identity_url == ""
    settings.SANDBOX_ADDRESSES = {}
    assert sandbox_setup.offered(Side.DYNAMICS) is None
    assert not connecting.completed(asked(url=DYNAMICS_URL), None).allow_private


@pytest.mark.django_db(transaction=True)
def test_before_the_start_another_organisation_takes_what_was_read_with_it():
    world = World()
    world.linked(lastname="Vik")
    options.write("started", False)
    Connection.objects.filter(side="dynamics").update(account="somebody-elses")
    attempt = checks.stored(Side.DYNAMICS)
    assert attempt is not None
    saved = connections.save(attempt, checks.go_on(attempt, (), world=world.outside), who="ada", world=world.outside)
    assert saved.ok
    assert not Link.objects.exists()
    assert not DynamicsRecord.objects.exists()
    assert options.read().field_version > 0


@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_nothing_is_given_up_in_time():
    world = World(started=False)
    world.dynamics.faults.add({"kind": "slow", "path": "*", "times": -1, "value": 14})
    attempt = sandbox_setup.offered(Side.DYNAMICS)
    assert attempt is not None
    began = world.clock()
    found = checks.go_on(attempt, (), world=world.outside)
    assert checks.verdict(Side.DYNAMICS, found).blocked
    assert len(found) == len(checks.names(Side.DYNAMICS))
    assert (world.clock() - began).total_seconds() <= 15


@pytest.mark.django_db(transaction=True)
def test_two_who_connect_the_same_system_at_once_both_get_a_connection():
    world = World()
    attempt = checks.stored(Side.DYNAMICS)
    assert attempt is not None
    good = checks.go_on(attempt, (), world=world.outside)
    Connection.objects.filter(side="dynamics").delete()

    def late() -> bool:
        try:
            return connections.save(attempt, good, who="bo", world=world.outside).ok
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert connections.save(attempt, good, who="ada", world=world.outside).ok
            second = pool.submit(late)
            # It has asked who we are and come to where it has to wait.
            with pytest.raises(TimeoutError):
                second.result(timeout=1)
        assert second.result(timeout=10)
    assert Connection.objects.filter(side="dynamics").count() == 1
