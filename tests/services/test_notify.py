"""Alarms: told once when they begin and once when they end; delivered at least once, given up after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncadmin.services import alarms, notify, notify_channels, notify_words, resolve
from syncadmin.services.notify import Message, NotDelivered, Senders
from syncadmin.services.notify_channels import WrongChannel
from syncadmin.store import options, vault
from syncadmin.store.models import (
    Alarm,
    AuditEntry,
    Budget,
    Channel,
    Connection,
    Delivery,
    Failure,
    PausedPair,
    PendingWrite,
    Run,
)

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


class Post:
    """Stands where messages leave the house; ``refuses`` makes it not take them."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Message]] = []
        self.posts: list[tuple[str, str, dict[str, Any]]] = []
        self.refuses = False

    def mail(self, address: str, message: Message) -> None:
        self._judge()
        self.mails.append((address, message))

    def post(self, channel: Channel, secret: str, message: Message) -> None:
        self._judge()
        self.posts.append((channel.address, secret, dict(message.told)))

    def _judge(self) -> None:
        if self.refuses:
            raise NotDelivered("webhook", "POST answered with HTTP 503.")

    @property
    def senders(self) -> Senders:
        return Senders(self.mail, self.post)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def running() -> Run:
    """A sync that has been started and whose last run ended a moment ago."""
    options.write("started", True)
    return Run.objects.create(started_at=NOW - MINUTE, finished_at=NOW, heartbeat_at=NOW)


def mailed(**given: Any) -> Channel:
    return notify_channels.add("email", "ops@example.org", who="ada", now=NOW, **given)


def refuse(side: str = "marketo") -> None:
    connection = {"base_url": "https://example.org", "sealed": "", "connected_at": NOW}
    Connection.objects.update_or_create(side=side, defaults={**connection, "refused_since": NOW, "message": "601"})


def turns(post: Post, number: int, start: datetime = NOW) -> None:
    for place in range(number):
        notify.turn(start + place * MINUTE / 2, post.senders)


# --- once for each change of state -----------------------------------------------------------------------------------


def test_a_refused_sign_in_is_told_once_and_its_end_once(running: Run, post: Post) -> None:
    mailed()
    refuse()
    turns(post, 4)
    assert [(to, message.title) for to, message in post.mails] == [("ops@example.org", "Marketo refuses our sign-in")]
    assert "601" in post.mails[0][1].text

    Connection.objects.update(refused_since=None)
    turns(post, 4, NOW + 3 * MINUTE)
    assert [message.title for _to, message in post.mails[1:]] == ["Over: Marketo refuses our sign-in"]
    assert not Alarm.objects.exists()


def test_several_alarms_are_told_each_once_to_each_channel(running: Run, post: Post) -> None:
    mailed()
    notify_channels.add("slack", "https://hooks.example.org/T1/B2", who="ada", now=NOW)
    refuse("dynamics")
    PausedPair.objects.create(key="lead:jobtitle>title", code="gone", since=NOW)
    turns(post, 3)
    assert sorted(message.title for _to, message in post.mails) == ["Dynamics refuses our sign-in", "Fields are paused"]
    assert len(post.posts) == 2
    assert Delivery.objects.filter(sent_at=None).count() == 0


def test_two_processes_that_notice_it_together_tell_it_once(running: Run, post: Post) -> None:
    mailed()
    refuse()
    alarms.look(NOW)
    assert alarms._begin("refused_marketo", {}, NOW) is False
    alarm = Alarm.objects.get()
    assert alarms._end(alarm, NOW) is True
    assert alarms._end(alarm, NOW) is False
    assert list(Delivery.objects.order_by("id").values_list("state", flat=True)) == ["bad", "healed"]


def test_without_a_channel_the_alarm_stands_and_nothing_waits(running: Run, post: Post) -> None:
    refuse()
    turns(post, 2)
    mailed()
    turns(post, 2)
    assert (Alarm.objects.count(), Delivery.objects.count(), post.mails) == (1, 0, [])


# --- what is looked at -----------------------------------------------------------------------------------------------


def standing(at: datetime = NOW) -> set[str]:
    return set(alarms.standing(at))


def test_a_sync_in_order_has_no_alarm(running: Run) -> None:
    assert standing() == set()


def test_a_loop_that_was_resumed_a_moment_ago_is_no_alarm(running: Run) -> None:
    late = NOW + timedelta(hours=1)
    resolve.pause("oscar", NOW)
    resolve.resume("oscar", late)
    assert standing(late + timedelta(seconds=1)) == set()
    assert standing(late + timedelta(hours=1)) == {"standing_still"}


def test_a_loop_that_stands_still_is_an_alarm_unless_somebody_paused_it(running: Run) -> None:
    late = NOW + timedelta(hours=1)
    assert standing(late) == {"standing_still"}
    options.write("paused", True)
    assert standing(late) == set()


def test_a_run_that_shows_signs_of_life_does_not_stand_still(running: Run) -> None:
    late = NOW + timedelta(hours=1)
    Run.objects.create(started_at=NOW, heartbeat_at=late - MINUTE)
    assert standing(late) == set()


def test_used_up_calls_are_an_alarm_on_their_day_only(running: Run) -> None:
    Budget.objects.create(side="marketo", day=NOW.date(), calls=40_000)
    assert standing() == {"out_of_calls"}
    Run.objects.update(finished_at=NOW + timedelta(days=1), heartbeat_at=NOW + timedelta(days=1))
    assert standing(NOW + timedelta(days=1)) == set()


def test_a_secret_is_an_alarm_from_thirty_days_before_its_end(running: Run) -> None:
    options.write("dynamics_secret_until", "2026-04-04")
    assert standing() == set()
    options.write("dynamics_secret_until", "2026-04-03")
    assert alarms.standing(NOW)["expiring"] == {"side": "dynamics", "until": "2026-04-03", "days": 30}


def failures(number: int, opened: datetime) -> None:
    Failure.objects.bulk_create(
        Failure(
            subject=f"dynamics:{opened.timestamp()}:{place}"[:60],
            side="dynamics",
            operation="update",
            cause="too_long",
            opened_at=opened,
            last_at=opened,
        )
        for place in range(number)
    )


def test_failures_over_the_limit_alarm_and_calm_down_at_half_of_it(running: Run, post: Post) -> None:
    options.write("alarm_failures", 10)
    failures(10, NOW - 2 * MINUTE)
    assert standing() == set()
    failures(1, NOW - MINUTE)
    assert standing() == {"failures"}
    # Most of them grow older than an hour; six are left, more than half of the limit.
    Failure.objects.filter(pk__in=Failure.objects.order_by("id").values("pk")[:5]).update(opened_at=NOW - 90 * MINUTE)
    assert set(alarms.standing(NOW)) == set()
    assert set(alarms.standing(NOW, frozenset({"failures"}))) == {"failures"}
    Failure.objects.filter(pk__in=Failure.objects.order_by("id").values("pk")[:6]).update(opened_at=NOW - 90 * MINUTE)
    assert set(alarms.standing(NOW, frozenset({"failures"}))) == set()


def test_a_limit_of_zero_turns_an_alarm_off(running: Run) -> None:
    options.write("alarm_failures", 0)
    options.write("alarm_backlog", 0)
    failures(200, NOW)
    waiting(NOW - timedelta(days=1))
    assert standing() == set()


def waiting(since: datetime, **given: Any) -> PendingWrite:
    told = {"side": "marketo", "op": "update", "table": "person", "decided_at": since, **given}
    return PendingWrite.objects.create(**told)


def test_a_change_that_waits_for_too_long_is_an_alarm(running: Run) -> None:
    waiting(NOW - timedelta(hours=1))
    waiting(NOW - timedelta(days=3), side="dynamics", table="lead", state="planned")
    assert standing() == set()
    write = waiting(NOW - timedelta(hours=1, seconds=1), side="dynamics", table="lead")
    assert alarms.standing(NOW)["backlog"] == {"minutes": 60, "limit": 60}
    options.write("paused", True)
    assert standing() == set()
    options.write("paused", False)
    write.delete()
    assert standing() == set()


# --- delivering ------------------------------------------------------------------------------------------------------


def test_what_is_not_taken_is_tried_again_later_and_given_up_in_the_end(running: Run, post: Post) -> None:
    mailed()
    refuse()
    post.refuses = True
    notify.turn(NOW, post.senders)
    row = Delivery.objects.get()
    assert (row.attempts, row.error["said"]) == (1, "POST answered with HTTP 503.")
    assert row.next_try_at == NOW + MINUTE
    notify.turn(NOW + MINUTE / 2, post.senders)
    row.refresh_from_db()
    assert row.attempts == 1

    at = NOW
    for _ in range(20):
        row.refresh_from_db()
        if row.next_try_at is None:
            break
        at = row.next_try_at
        notify.turn(at, post.senders)
    assert (row.attempts, row.sent_at, row.next_try_at) == (8, None, None)
    assert timedelta(hours=20) < at - NOW < timedelta(days=1)


def test_a_receiver_that_comes_back_gets_the_message(running: Run, post: Post) -> None:
    mailed()
    refuse()
    post.refuses = True
    notify.turn(NOW, post.senders)
    post.refuses = False
    notify.turn(NOW + MINUTE, post.senders)
    assert len(post.mails) == 1
    row = Delivery.objects.get()
    assert (row.attempts, row.error, row.next_try_at) == (2, {}, None)


def test_a_sender_that_dies_leaves_its_message_to_others(running: Run, post: Post) -> None:
    mailed()
    refuse()
    alarms.look(NOW)
    assert len(notify._claim(NOW)) == 1
    assert notify._claim(NOW) == []
    notify.turn(NOW + 4 * MINUTE, post.senders)
    assert len(post.mails) == 1


def test_a_channel_that_is_off_or_gone_is_told_nothing(running: Run, post: Post) -> None:
    off, gone = mailed(), notify_channels.add("email", "gone@example.org", who="ada", now=NOW)
    refuse()
    alarms.look(NOW)
    notify_channels.switch(off.pk, False, who="ada", now=NOW)
    notify_channels.remove(gone.pk, who="ada", now=NOW)
    turns(post, 2)
    assert post.mails == []


def test_webhooks_get_json_or_slacks_form_with_their_secret(running: Run, post: Post) -> None:
    add = {"who": "ada", "now": NOW}
    notify_channels.add(
        "json", "https://one.example.org/hook?key=1", header="Authorization", secret="Bearer abc", **add
    )
    notify_channels.add("slack", "https://two.example.org/T1", language="zh-hant", **add)
    refuse()
    Connection.objects.update(message="<b>601 & more</b>")
    notify.turn(NOW, post.senders)
    (_, secret, told), (_, none, slack) = sorted(post.posts)
    assert (secret, none) == ("Bearer abc", "")
    assert {name: told[name] for name in ("alarm", "state", "at")} == {
        "alarm": "refused_marketo",
        "state": "bad",
        "at": NOW.isoformat(),
    }
    assert told["facts"] == {"side": "marketo", "said": "<b>601 & more</b>"}
    assert set(slack) == {"text", "blocks"}
    assert "&lt;b&gt;601 &amp; more&lt;/b&gt;" in slack["blocks"][0]["text"]["text"]


def test_a_test_is_sent_at_once_and_not_repeated(post: Post) -> None:
    channel = mailed()
    post.refuses = True
    row = notify_channels.test(channel.pk, who="ada", now=NOW, senders=post.senders)
    assert (row.sent_at, row.next_try_at, row.error["code"]) == (None, None, "webhook")
    post.refuses = False
    assert notify_channels.test(channel.pk, who="ada", now=NOW, senders=post.senders).sent_at == NOW
    assert post.mails[0][1].title == "This is a test"


# --- channels --------------------------------------------------------------------------------------------------------


def test_every_change_of_a_channel_is_audited_without_its_secrets() -> None:
    row = notify_channels.add(
        "slack", "https://hooks.example.org/T1/secret", header="X-Key", secret="hush", who="ada", now=NOW
    )
    notify_channels.switch(row.pk, False, who="ada", now=NOW)
    notify_channels.switch(row.pk, False, who="ada", now=NOW)
    notify_channels.remove(row.pk, who="bob", now=NOW)
    entries = list(AuditEntry.objects.order_by("id").values_list("who", "action", "subject"))
    assert entries == [
        ("ada", "channel_added", "https://hooks.example.org/…"),
        ("ada", "channel_switched", "https://hooks.example.org/…"),
        ("bob", "channel_removed", "https://hooks.example.org/…"),
    ]


def test_the_secret_is_sealed_and_follows_a_new_key(settings: Any) -> None:
    row = notify_channels.add("json", "https://a.example.org/", header="X-Key", secret="hush", who="ada", now=NOW)
    assert "hush" not in row.sealed
    settings.VAULT_KEYS = [vault.new_key(), *settings.VAULT_KEYS]
    assert vault.rotate() == 1
    settings.VAULT_KEYS = settings.VAULT_KEYS[:1]
    row.refresh_from_db()
    assert vault.unseal(row.sealed) == "hush"


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.org/x",
        "https://127.0.0.1/x",
        "https://10.0.0.8/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://user:secret@hooks.example.org/x",
        "https://hooks.example.org/x#y",
        "https://hooks.example.org/x?a=b c",
        "ftp://hooks.example.org/",
        "hooks.example.org",
    ],
)
def test_an_address_that_may_not_be_called_is_refused(address: str) -> None:
    with pytest.raises(WrongChannel) as refusal:
        notify_channels.add("json", address, who="ada", now=NOW)
    assert refusal.value.code == "address"
    assert not Channel.objects.exists()


@pytest.mark.parametrize(("header", "secret"), [("X-Key", ""), ("", "hush"), ("X Key", "hush"), ("X-Key", "a\nb")])
def test_a_header_without_its_value_or_with_a_line_break_is_refused(header: str, secret: str) -> None:
    with pytest.raises(WrongChannel) as refusal:
        notify_channels.add("json", "https://a.example.org/", header=header, secret=secret, who="ada", now=NOW)
    assert refusal.value.code == "header"


def test_an_address_is_there_once() -> None:
    mailed()
    with pytest.raises(WrongChannel) as refusal:
        mailed()
    assert (refusal.value.code, Channel.objects.count()) == ("twice", 1)


def test_each_alarm_has_a_title_and_a_sentence_with_its_facts() -> None:
    facts = {"minutes": 1, "calls": 2, "fields": "x", "said": "y", "until": "z", "limit": 3, "days": 4, "number": 5}
    assert notify_words.TITLES.keys() == notify_words.SENTENCES.keys()
    for code in notify_words.TITLES:
        for state in ("bad", "healed"):
            said = notify_words.words(code, state, facts, "en")
            assert said.title
            assert "%(" not in said.text
