"""Channels, limits and deliveries on their page; the sending itself is tests/services/test_notify.py's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core import mail
from django.test import Client

from syncadmin.services import alarms, notify, notify_channels
from syncadmin.store import options
from syncadmin.store.models import Alarm, AuditEntry, Channel, Delivery
from syncadmin.store.queries import notifications as queries
from tests.web.people import World

PAGE = "/settings/notifications/"
MAIL = {"kind": "email", "address": "ops@example.org", "language": "en"}


@pytest.fixture
def receiver() -> Iterator[str]:
    """A webhook's other end, which takes what comes but for /broken."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(404 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_is_added_tested_switched_off_and_taken_away(ada: Client) -> None:
    page = ada.post(f"{PAGE}add/", MAIL, follow=True).content.decode()
    assert "Send a test to see whether it arrives." in page
    channel = Channel.objects.get()

    page = ada.post(f"{PAGE}{channel.pk}/test/", follow=True).content.decode()
    assert "The test was delivered to ops@example.org." in page
    assert [(message.subject, message.to) for message in mail.outbox] == [("This is a test", ["ops@example.org"])]
    assert '<span class="badge good">delivered</span>' in page

    for _twice in range(2):
        page = ada.post(f"{PAGE}{channel.pk}/switch/", {"active": "off"}, follow=True).content.decode()
        assert "is told nothing for now" in page
    assert "Take ops@example.org away?" in ada.get(f"{PAGE}{channel.pk}/remove/").content.decode()
    assert "Nobody yet." in ada.post(f"{PAGE}{channel.pk}/remove/", follow=True).content.decode()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["channel_added", "channel_tested", "channel_switched", "channel_removed"]


def test_a_webhook_inside_is_called_only_when_it_is_allowed(ada: Client, receiver: str) -> None:
    inside = {"kind": "json", "address": f"{receiver}/hook", "language": "en"}
    answer = ada.post(f"{PAGE}add/", inside)
    assert (answer.status_code, "private network" in answer.content.decode()) == (422, True)
    assert ada.post(f"{PAGE}add/", {**inside, "allow_private": "on"}).status_code == 302
    page = ada.post(f"{PAGE}{Channel.objects.get().pk}/test/", follow=True).content.decode()
    assert "The test was delivered to http://127.0.0.1" in page
    assert "/hook" not in page


def test_what_a_receiver_answers_to_a_test_is_shown(ada: Client, receiver: str) -> None:
    broken = {"kind": "slack", "address": f"{receiver}/broken", "language": "en", "allow_private": "on"}
    ada.post(f"{PAGE}add/", broken)
    page = ada.post(f"{PAGE}{Channel.objects.get().pk}/test/", follow=True).content.decode()
    assert "did not reach" in page
    assert page.count("HTTP 404") == 2
    assert Delivery.objects.get().next_try_at is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "nobody"}, "valid email"),
        ({"address": ""}, "required"),
        ({"kind": "pigeon"}, "valid choice"),
        ({"kind": "json", "address": "http://example.org/"}, "https://"),
        ({"kind": "json", "address": "https://example.org/", "header": "X-Key"}, "A header needs"),
    ],
)
def test_a_channel_that_cannot_work_is_refused_in_words(ada: Client, given: dict[str, str], told: str) -> None:
    answer = ada.post(f"{PAGE}add/", {**MAIL, **given})
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert not Channel.objects.exists()


def test_limits_are_kept_as_settings_and_audited(ada: Client) -> None:
    limits = {
        "alarm_failures": 7,
        "backlog_minutes": 90,
        "dynamics_secret_until": "2027-01-31",
        "alarm_expiry_days": 14,
    }
    assert "The limits are saved." in ada.post(f"{PAGE}limits/", limits, follow=True).content.decode()
    now = options.read()
    assert (now.alarm_failures, now.alarm_backlog, now.dynamics_secret_until) == (7, 5400, "2027-01-31")
    assert AuditEntry.objects.filter(action="setting").count() == 4
    assert 'value="2027-01-31"' in ada.get(PAGE).content.decode()

    assert ada.post(f"{PAGE}limits/", {**limits, "alarm_failures": -1}).status_code == 422
    ada.post(f"{PAGE}limits/", {**limits, "dynamics_secret_until": ""})
    assert (options.read().alarm_failures, options.read().dynamics_secret_until) == (7, "")


def test_a_limit_that_was_not_changed_here_is_left_as_it_is(ada: Client) -> None:
    options.write("alarm_backlog", 5430)
    page = ada.get(PAGE).content.decode()
    sent = dict(re.findall(r'name="((?:initial-)?(?:alarm_\w+|backlog_minutes|dynamics_\w+))" value="([^"]*)"', page))
    assert sent["initial-backlog_minutes"] == sent["backlog_minutes"] == "90"
    options.write("alarm_failures", 3)
    ada.post(f"{PAGE}limits/", {**sent, "alarm_expiry_days": "9"})
    now = options.read()
    assert (now.alarm_expiry_days, now.alarm_failures, now.alarm_backlog) == (9, 3, 5430)


def test_what_is_wrong_now_and_what_waits_is_shown(ada: Client, world: World) -> None:
    channel = notify_channels.add("email", "ops@example.org", who="ada", now=world.now)
    Alarm.objects.create(code="backlog", facts={"minutes": 75, "limit": 60}, since=world.now)
    Delivery.objects.create(
        channel=channel,
        alarm="backlog",
        state="bad",
        facts={"minutes": 75, "limit": 60},
        made_at=world.now,
        attempts=2,
        next_try_at=world.now,
        error={"code": "mail", "said": "421 busy"},
    )
    page = ada.get(PAGE).content.decode()
    for words in ("waiting for 75 minutes", "to be tried again", "421 busy"):
        assert words in page


@pytest.mark.parametrize("path", ["", "add/", "limits/", "1/test/", "1/switch/", "1/remove/"])
def test_only_administrators_come_here(oscar: Client, path: str) -> None:
    assert oscar.get(PAGE + path).status_code == 403
    assert oscar.post(PAGE + path, MAIL).status_code == 403
    assert not Channel.objects.exists()


@pytest.mark.parametrize("path", ["9/test/", "9/switch/", "9/remove/"])
def test_a_channel_nobody_added_is_not_found(ada: Client, path: str) -> None:
    assert ada.post(PAGE + path).status_code == 404


@pytest.mark.parametrize("act", ["test", "switch", "remove"])
def test_a_channel_taken_away_in_the_same_instant_is_told(
    ada: Client, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    ada.post(f"{PAGE}add/", MAIL)
    channel = Channel.objects.get()
    look = queries.channel

    def seen_and_gone(pk: int) -> queries.ChannelRow | None:
        row = look(pk)
        Channel.objects.all().delete()
        return row

    monkeypatch.setattr(queries, "channel", seen_and_gone)
    page = ada.post(f"{PAGE}{channel.pk}/{act}/", {"active": "off"}, follow=True).content.decode()
    assert "ops@example.org has been taken away meanwhile." in page


def test_a_channel_taken_away_while_its_message_travels_stops_nothing(db: None) -> None:
    now = datetime.now(UTC)
    channel = Channel.objects.create(kind="email", address="ops@example.org", made_at=now)
    Delivery.objects.create(channel=channel, alarm="test", state=alarms.TEST, made_at=now, next_try_at=now)

    def takes_away(address: str, message: notify.Message) -> None:
        Channel.objects.all().delete()

    senders = notify.Senders(mail=takes_away, post=lambda *_: None)
    assert notify.turn(now, senders) == 0
    assert not Delivery.objects.exists()
