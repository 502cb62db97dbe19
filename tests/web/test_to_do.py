from __future__ import annotations

import re
from typing import Any

from django.test import Client

from syncadmin.store.models import Activity, AuditEntry, Conflict, Decision, Failure, Link, PendingWrite
from tests.web.people import CITY, TITLE, World


def _page(client: Client, address: str = "/to-do/") -> str:
    return client.get(address).content.decode()


def _state() -> list[Any]:
    """Everything a refused press must leave as it was."""
    tables = (Failure, Decision, Link, Activity, AuditEntry, PendingWrite, Conflict)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_failures_are_grouped_by_cause_with_count_and_remedy(vic: Client, world: World) -> None:
    world.fields()
    for name in ("Ada Byron", "Bo Lind"):
        world.failure(world.linked(name), key=TITLE)
    world.failure(world.linked("Cy Ode"), cause="last_name_missing")
    page = _page(vic)
    assert page.index("Value too long") < page.index("No last name")
    assert "Shorten the value, or allow shortening" in page
    assert re.search(r'badge bad">2<', page)


def test_the_records_behind_a_cause_are_listed_with_value_and_message(vic: Client, world: World) -> None:
    world.fields()
    told = {"value": "Countess of Lovelace", "limit": "10 characters", "hash": "h"}
    world.failure(world.linked("Ada Byron"), key=TITLE, value=told, code="0x80044331", message="too long")
    page = _page(vic, "/to-do/failures/too_long/")
    assert "The value of Job Title is longer than 10 characters." in page
    for text in ("Ada Byron", "Countess of Lovelace", "0x80044331"):
        assert text in page
    assert vic.get("/to-do/failures/nonsense/").status_code == 404


def test_the_records_behind_a_cause_are_paged(vic: Client, world: World, part: dict[str, str]) -> None:
    for number in range(51):
        world.failure(world.linked(f"Person {number}"))
    first = vic.get("/to-do/failures/too_long/", headers=part).content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', first)
    assert following
    assert first.count('<th scope="row">') == 50
    assert _page(vic, following[1]).count('<th scope="row">') == 1


def test_an_operator_releases_one_and_the_next_run_tries_again(oscar: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    held = {TITLE: {"why": "failure", "blocked": {"marketo": "x"}}, CITY: {"why": "direction"}}
    Link.objects.filter(pk=link.pk).update(held=held)
    failure = world.failure(link, key=TITLE, side="marketo")
    answer = oscar.post("/to-do/failures/release/", {"failure": failure.pk, "back": f"/people/{link.pk}/"})
    assert answer.headers["Location"] == f"/people/{link.pk}/"
    link.refresh_from_db()
    failure.refresh_from_db()
    # The value is no longer blocked; the mark stays until the next merge has closed the failure.
    held = {TITLE: {"why": "failure"}, CITY: {"why": "direction"}}
    assert (link.held, link.dirty, link.lane) == (held, True, "retry")
    assert failure.next_try_at is not None
    assert failure.closed_at is None
    assert AuditEntry.objects.get().action == "release"
    assert Activity.objects.get().details["answer"] == "release"


def test_an_operator_releases_all_of_a_cause(oscar: Client, world: World) -> None:
    links = [world.linked(f"Person {number}") for number in range(3)]
    for link in links:
        world.failure(link)
    world.failure(world.linked("Cy Ode"), cause="unknown")
    page = oscar.post("/to-do/failures/release/", {"cause": "too_long"}, follow=True).content.decode()
    assert "3 failures are released" in page
    assert Link.objects.filter(dirty=True).count() == 3


def test_failures_put_aside_are_no_longer_counted(oscar: Client, world: World) -> None:
    failure = world.failure(world.linked("Ada Byron"))
    oscar.post("/to-do/failures/ignore/", {"failure": [failure.pk, "x"]})
    failure.refresh_from_db()
    assert failure.ignored
    page = _page(oscar)
    assert "1 put aside" in page
    assert 'class="tally"' not in page


def test_a_viewer_reads_but_changes_nothing(vic: Client, world: World) -> None:
    failure = world.failure(world.linked("Ada Byron"))
    decision = world.decision()
    before = _state()
    assert "<button>Release" not in _page(vic)
    assert "An operator can answer this." in _page(vic)
    for address, sent in (
        ("/to-do/failures/release/", {"failure": failure.pk}),
        ("/to-do/failures/release/", {"cause": "too_long"}),
        ("/to-do/failures/ignore/", {"failure": failure.pk}),
        (f"/to-do/decisions/{decision.pk}/", {"choice": "separate"}),
    ):
        assert vic.post(address, sent).status_code == 403
    assert _state() == before


def _match(world: World) -> Decision:
    record, person = world.in_dynamics("Ada Byron", due="decision"), world.in_marketo("Ada King")
    face = {"table": "lead", "id": str(record.guid), "name": record.name, "email": record.email}
    other = {"table": "person", "id": str(person.person), "name": person.name, "email": person.email}
    return world.decision(
        subject=f"lead:{record.guid}",
        facts={"reason": "several_people", "record": face, "candidates": [other]},
        choices=[f"link:person:{person.person}", "separate"],
    )


def test_a_match_shows_the_candidates_and_what_each_choice_leads_to(vic: Client, world: World) -> None:
    decision = _match(world)
    page = _page(vic, f"/to-do/decisions/{decision.pk}/")
    assert "Ada King" in page
    assert "The two are linked and compared by the next run, as on first contact." in page
    assert "A new record of its own is created on the other side and linked." in page


def test_answering_a_match_links_the_two(oscar: Client, world: World) -> None:
    decision = _match(world)
    page = oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": decision.choices[0]}, follow=True)
    assert "Your answer is recorded" in page.content.decode()
    link = Link.objects.get()
    assert (str(link.dynamics), str(link.marketo)) == (
        decision.facts["record"]["id"],
        decision.facts["candidates"][0]["id"],
    )
    assert (link.dirty, link.agreed) == (True, {})
    decision.refresh_from_db()
    assert (decision.answer, decision.answered_by) == ({"choice": decision.choices[0]}, "oscar")
    assert {"linked", "decided"} == set(Activity.objects.values_list("kind", flat=True))


def test_keeping_a_record_apart_has_a_person_of_its_own_made(oscar: Client, world: World) -> None:
    decision = _match(world)
    oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": "separate"})
    write = PendingWrite.objects.get()
    assert (write.side, write.op, write.link.marketo) == ("marketo", "create", None)


def test_a_match_with_somebody_linked_meanwhile_is_refused_and_stays_open(oscar: Client, world: World) -> None:
    decision = _match(world)
    other = world.in_dynamics("Somebody")
    person = int(decision.facts["candidates"][0]["id"])
    Link.objects.create(table="lead", dynamics=other.guid, marketo=person, linked_at=world.now)
    before = _state()
    page = oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": decision.choices[0]}, follow=True)
    assert "has been linked with another one since" in page.content.decode()
    assert _state() == before


def test_an_answer_is_taken_once_and_only_from_the_choices(oscar: Client, world: World) -> None:
    decision = world.decision("dynamics_merge", choices=["done", "keep"])
    address = f"/to-do/decisions/{decision.pk}/"
    assert "not one of the choices" in oscar.post(address, {"choice": "burn"}, follow=True).content.decode()
    oscar.post(address, {"choice": "keep"})
    assert "settled already" in oscar.post(address, {"choice": "done"}, follow=True).content.decode()
    assert "is recorded" in oscar.post(address, {"choice": "keep"}, follow=True).content.decode(), "a double click"
    assert AuditEntry.objects.filter(action="answer").count() == 1
    decision.refresh_from_db()
    assert decision.answer == {"choice": "keep"}


def test_choosing_a_value_settles_the_open_conflict(oscar: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    conflict = world.conflict(link, key=CITY, state="open", winner="")
    facts = {"conflict": conflict.pk, "key": CITY, "agreed": ["a", "a"], "dynamics": "Paris", "marketo": "Rome"}
    decision = world.decision("ask", link=link, facts=facts, choices=["dynamics", "marketo"])
    page = _page(oscar)
    assert "Paris" in page
    assert "Rome" in page
    oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": "marketo"})
    conflict.refresh_from_db()
    link.refresh_from_db()
    assert (conflict.state, conflict.chosen, conflict.decided_by, link.dirty) == ("chosen", "marketo", "oscar", True)


def test_held_deletes_are_applied_only_when_said_so(oscar: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    told = {str(link.dynamics): world.now.isoformat()}
    facts = {"side": "dynamics", "ids": list(told), "told": told, "count": 1}
    refused = world.decision("deletes_held", facts=facts, choices=["apply", "refuse"])
    oscar.post(f"/to-do/decisions/{refused.pk}/", {"choice": "refuse"})
    assert not Link.objects.get().dynamics_deleted
    applied = world.decision("deletes_held", facts=facts, choices=["apply", "refuse"])
    oscar.post(f"/to-do/decisions/{applied.pk}/", {"choice": "apply"})
    assert Link.objects.get().dynamics_deleted


def test_two_links_meeting_are_settled_in_favour_of_the_one_chosen(oscar: Client, world: World) -> None:
    moved, winner = world.linked("Ada Byron"), world.linked("Ada King")
    Link.objects.filter(pk=moved.pk).update(marketo_deleted=True, stopped=True)
    facts = {"loser": moved.marketo, "winner": winner.marketo}
    choices = ["keep_winner", "keep_loser", "new_person"]
    decision = world.decision("links_meeting", link=moved, facts=facts, choices=choices)
    oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": "keep_loser"})
    number = winner.marketo
    moved.refresh_from_db()
    winner.refresh_from_db()
    assert (moved.marketo, moved.stopped, moved.dirty, moved.agreed) == (number, False, True, {})
    assert (winner.marketo, winner.stopped) == (None, True)


def test_the_record_that_lost_its_person_gets_a_new_one(oscar: Client, world: World) -> None:
    moved, winner = world.linked("Ada Byron"), world.linked("Ada King")
    Link.objects.filter(pk=moved.pk).update(marketo_deleted=True, stopped=True)
    facts = {"loser": moved.marketo, "winner": winner.marketo}
    decision = world.decision("links_meeting", link=moved, facts=facts, choices=["new_person"])
    oscar.post(f"/to-do/decisions/{decision.pk}/", {"choice": "new_person"})
    moved.refresh_from_db()
    assert (moved.marketo, moved.marketo_deleted, moved.stopped) == (None, False, False)
    assert (PendingWrite.objects.get().link_id, PendingWrite.objects.get().op) == (moved.pk, "create")


def test_decisions_page_and_nothing_to_do_says_so(vic: Client, world: World) -> None:
    assert "Nothing to decide." in _page(vic)
    assert "No failures." in _page(vic)
    for _ in range(21):
        world.decision()
    first = _page(vic)
    following = re.search(r'rel="next" href="([^"]*)"', first)
    assert following
    assert (first.count("<article"), _page(vic, following[1]).count("<article")) == (20, 1)


def test_a_form_never_sends_anybody_elsewhere(oscar: Client, world: World) -> None:
    for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = oscar.post("/to-do/failures/release/", {"back": back})
        assert answer.headers["Location"] == "/to-do/"
