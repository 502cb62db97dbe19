"""The door Marketo's Call Webhook step knocks at: key, body, answers."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from syncadmin.engine.records import Table
from syncadmin.services import connect
from syncadmin.services.sync_person import Asked
from syncadmin.store.models import SyncRequest
from syncadmin.web.views import webhook
from tests.world import World

URL = "/hooks/marketo/sync-person"
KEY = {"X-Sync-Key": "sandbox-secret"}


def post(body, headers=KEY, content_type="application/json"):
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(URL, raw, content_type=content_type, headers=headers)


@pytest.mark.django_db
def test_a_key_of_any_letters_opens(settings):
    settings.SYNC_KEY = "schlüssel für das tor"
    sent = settings.SYNC_KEY.encode().decode("latin-1")
    assert post({}, headers={"X-Sync-Key": sent}).status_code == 400
    assert post({}, headers={"X-Sync-Key": "schlussel fur das tor"}).status_code == 401


# --- what a body means -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"personId": 40217, "syncAs": "lead"}', Asked(40217)),
        (b'{"personId": "40217", "syncAs": "Contact"}', Asked(40217, Table.CONTACT)),
        (b'{"personId": 40217.0}', Asked(40217)),
        (b'{"personId": 40217, "syncAs": "", "assignTo": null, "trigger": "x", "campaignId": 9}', Asked(40217)),
        (
            b'{"person_id": " 40217 ", "sync_as": "LEAD", "assignTo": " a@b.example "}',
            Asked(40217, assign_to="a@b.example"),
        ),
        (b'{"personId": 40217, "assignTo": "\\ud83d Ada\\u0000"}', Asked(40217, assign_to="? Ada")),
        (b'\xef\xbb\xbf{"personId": 40217}', Asked(40217)),
        (b"personId=40217&syncAs=contact&assignTo=a%40b.example", Asked(40217, Table.CONTACT, "a@b.example")),
    ],
)
def test_bodies_are_read_leniently(body, asked):
    assert webhook.understood(body) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[40217]",
        b"null",
        b"{}",
        b'{"personId": ""}',
        b'{"personId": "abc"}',
        b'{"personId": 0}',
        b'{"personId": -3}',
        b'{"personId": true}',
        b'{"personId": [1]}',
        b'{"personId": 1.5}',
        b'{"personId": 99999999999999999999}',
        b'{"personId": 9223372036854775808}',
        b'{"personId": 1, "syncAs": "opportunity"}',
        b'{"personId": 40217, "syncAs": lead}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_nonsense_is_refused(body):
    with pytest.raises(webhook.Nonsense):
        webhook.understood(body)


# --- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers", [{}, {"X-Sync-Key": ""}, {"X-Sync-Key": "sandbox-secre"}, {"X-Sync-Key": "šandbox-secret"}]
)
def test_without_the_key_nothing_is_done(headers):
    answer = post({"personId": 40217}, headers)

    assert (answer.status_code, answer.json()["status"]) == (401, "failed")
    assert not SyncRequest.objects.exists()


@pytest.mark.django_db
def test_no_key_set_lets_nobody_in(settings):
    settings.SYNC_KEY = ""
    assert post({"personId": 40217}, {"X-Sync-Key": ""}).status_code == 401


@pytest.mark.django_db
def test_bad_bodies_are_answered_with_json():
    nonsense, huge = post("nonsense"), post('{"personId": 1, "x": "' + "x" * 70_000 + '"}')

    assert (nonsense.status_code, huge.status_code) == (400, 413)
    for answer in (nonsense, huge):
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["message"]
    assert not SyncRequest.objects.exists()


@pytest.mark.django_db
def test_only_post():
    answer = Client().get(URL, headers=KEY)
    assert (answer.status_code, answer["Allow"], answer.json()["status"]) == (405, "POST", "failed")


@pytest.mark.django_db
def test_before_the_setup_it_asks_for_another_try():
    answer = post({"personId": 40217})
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")


@pytest.mark.django_db(transaction=True)
def test_a_campaign_gets_its_answer(monkeypatch):
    """The process's own clock and network are exchanged for the simulated ones; everything else is as it runs."""
    world = World()
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    person = world.marketo.create("person", {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"})
    first = post({"personId": person, "syncAs": "lead"})

    assert first.status_code == 200
    assert set(first.json()) == {"status", "crmEntity", "crmId", "message"}
    assert (first.json()["status"], first.json()["crmEntity"]) == ("created", "lead")
    assert world.dynamics.get("lead", first.json()["crmId"])["lastname"] == "Lovelace"
    assert post({"personId": person}).json() == {
        **first.json(),
        "status": "exists",
        "message": "Already in Dynamics as a lead.",
    }
