from __future__ import annotations

import re
from datetime import timedelta

from django.test import Client

from syncadmin.engine.records import Side
from syncadmin.services import connections, resolve, setup
from syncadmin.store import options
from syncadmin.store.models import AuditEntry, Checkpoint, Connection
from tests.web.people import CITY, World


def _page(client: Client) -> str:
    return client.get("/").content.decode()


def test_before_the_setup_it_says_that_nothing_is_synced(vic: Client) -> None:
    assert "Nothing is synced yet" in _page(vic)


def test_everything_in_step_is_said_in_one_sentence(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run()
    assert "Everything is in step." in _page(vic)


def test_open_failures_come_before_open_decisions(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run()
    world.decision()
    assert "1 matter waits for your decision" in _page(vic)
    world.failure()
    world.failure()
    assert "2 failures need a look" in _page(vic)


def test_a_conflict_and_the_question_about_it_are_one_matter(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run()
    link = world.linked()
    world.conflict(link, key=CITY, state="open", winner="")
    world.decision("ask", link=link, choices=["dynamics", "marketo"])
    assert "1 matter waits for your decision" in _page(vic)


def test_a_refused_sign_in_is_the_first_thing_said(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run()
    world.failure()
    Connection.objects.filter(side="marketo").update(refused_since=world.now, message="601 Access token invalid")
    page = _page(vic)
    assert "Marketo refuses our sign-in" in page
    assert "601 Access token invalid" in page


def test_a_loop_that_stands_still_is_told(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run(minutes_ago=120)
    page = _page(vic)
    assert re.search(r"The loop stands still: no run has given a sign for 1[12]\d minutes\.", page)
    assert "See whether the worker, the clock (Celery beat) and the broker are running" in page


def test_a_start_that_nothing_follows_is_told(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    told = {"who": "ada", "subject": "loop"}
    entry = AuditEntry.objects.create(at=world.now - timedelta(minutes=2), action="start", **told)
    assert "the first run begins within a moment" in _page(vic)
    AuditEntry.objects.filter(pk=entry.pk).update(at=world.now - timedelta(minutes=125))
    page = _page(vic)
    assert re.search(r"The sync was started 12\d minutes ago, and no run has begun", page)
    assert "are running; restart them if not" in page


def test_a_loop_that_was_resumed_a_moment_ago_does_not_stand_still(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run(minutes_ago=120)
    AuditEntry.objects.create(at=world.now, who="ada", action="resume", subject="loop")
    assert "stands still" not in _page(vic)


def test_waiting_writes_are_counted_by_side_and_kind(vic: Client, world: World) -> None:
    world.writing(world.linked("Ada Byron"))
    world.writing(world.linked("Bo Lind"), op="create")
    world.writing(world.linked("Cy Ode"), side="dynamics")
    text = re.sub(r"<[^>]+>|\s+", " ", _page(vic))
    assert re.search(r"Marketo · People +1 +1 ", text)
    assert re.search(r"Dynamics · Leads +0 +1 ", text)


def test_a_full_read_under_way_is_told(vic: Client, world: World) -> None:
    Checkpoint.objects.create(name="marketo.people", position={"state": "reading", "rows": 300})
    assert "Still reading Marketo" in _page(vic)


def test_the_part_is_smaller_than_the_page_and_changes_only_with_the_facts(
    vic: Client, world: World, part: dict[str, str]
) -> None:
    first = vic.get("/", headers=part)
    assert first.content.decode().lstrip().startswith('<div id="live"')
    assert first.headers["Vary"].startswith("HX-Request")
    digest = re.search(r"seen=(\w+)", first.content.decode())
    assert digest
    assert vic.get("/", {"seen": digest[1]}, headers=part).status_code == 204
    world.failure()
    fresh = vic.get("/", {"seen": digest[1]}, headers=part)
    assert fresh.status_code == 200
    # The navigation lies outside of the part and counts the same.
    assert (
        '<span id="open-failures" class="beside" hx-swap-oob="true"> <span class="tally">1</span>'
        in fresh.content.decode()
    )


def test_a_page_restored_from_history_is_whole(vic: Client) -> None:
    answer = vic.get("/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<!doctype html>" in answer.content.decode()


def test_an_operator_pauses_and_resumes_and_both_are_audited(oscar: Client, world: World) -> None:
    world.connected()
    world.fields()
    assert "Pause the sync" in _page(oscar)
    answer = oscar.post("/pause/", follow=True)
    assert "The sync is paused." in answer.content.decode()
    assert options.read().paused
    oscar.post("/resume/")
    assert not options.read().paused
    assert list(AuditEntry.objects.order_by("id").values_list("action", "who")) == [
        ("pause", "oscar"),
        ("resume", "oscar"),
    ]


def test_who_paused_it_last_is_told_by_whatever_door(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    resolve.pause("oscar", world.now - timedelta(days=3))
    resolve.resume("oscar", world.now - timedelta(days=2))
    connections.disconnect(Side.MARKETO, who="ada", now=world.now)
    page = _page(vic)
    assert "Paused by ada" in page
    assert "Paused by oscar" not in page


def test_a_loop_resumed_at_a_terminal_a_moment_ago_does_not_stand_still(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run(minutes_ago=120)
    setup.change("paused", True, who="terminal", now=world.now - timedelta(hours=2))
    setup.change("paused", False, who="terminal", now=world.now)
    assert "stands still" not in _page(vic)


def test_a_viewer_sees_no_button_and_cannot_pause(vic: Client, world: World) -> None:
    world.fields()
    assert "Pause the sync" not in _page(vic)
    assert vic.post("/pause/").status_code == 403
    assert not options.read().paused
    assert not AuditEntry.objects.exists()


def test_it_speaks_traditional_chinese_when_asked(vic: Client) -> None:
    vic.post("/language/", {"language": "zh-hant", "next": "/"})
    assert '<html lang="zh-hant">' in _page(vic)


def test_nothing_is_said_to_be_in_step_before_the_first_run_has_ended(vic: Client, world: World) -> None:
    world.connected()
    world.fields()
    world.run(minutes_ago=0, finished_at=None)
    page = _page(vic)
    assert "Everything is in step." not in page
    assert "still reading what was there before" in page
