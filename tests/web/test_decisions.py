"""Needs a decision: the facts, the choices with what follows from them, one answer or one for many, and taking back."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import Client

from syncadmin.engine.shapes import shape_of
from syncadmin.services import bulk_answers, carry_out
from syncadmin.services.context import Context
from syncadmin.store.models import Activity, AuditEntry, Conflict, Decision, DynamicsRecord, Link, PendingWrite
from syncadmin.store.queries import decisions as queries
from tests.web.people import CITY, World


def _page(client: Client, address: str = "/decisions/") -> str:
    return client.get(address).content.decode()


def _post(client: Client, address: str, **given: object) -> str:
    return client.post(address, given, follow=True).content.decode()


def _run(world: World) -> None:
    """What the next run does first."""
    ctx = SimpleNamespace(now=lambda: world.now, border=lambda name: None)
    while carry_out.batch(cast(Context, ctx), world.run()).more:
        pass


def _match(world: World, name: str = "Ada") -> Decision:
    record, person = world.in_dynamics(f"{name} Byron", due="decision"), world.in_marketo(f"{name} King")
    facts = {
        "reason": "several_people",
        "record": {"table": "lead", "id": str(record.guid), "name": record.name, "email": record.email},
        "candidates": [{"table": "person", "id": str(person.person), "name": person.name, "email": person.email}],
    }
    choices = [f"link:person:{person.person}", "separate"]
    return world.decision(
        subject=f"lead:{record.guid}", facts=facts, choices=choices, shape=shape_of("match", facts, choices)
    )


def test_a_match_shows_everybody_side_by_side_and_what_follows(vic: Client, world: World) -> None:
    decision = _match(world)
    page = _page(vic, f"/decisions/{decision.pk}/")
    for text in (
        "Ada King",
        "asked about",
        "The two are linked and compared by the next run, as on first contact.",
        "None of these: Lead “Ada Byron” gets one of its own",
        "A new record of its own is created on the other side and linked.",
        "An operator can answer this.",
    ):
        assert text in page
    assert vic.get("/decisions/999999/").status_code == 404


def test_an_answer_waits_for_the_run_which_links_the_two(oscar: Client, world: World) -> None:
    decision = _match(world)
    page = _post(oscar, f"/decisions/{decision.pk}/", choice=decision.choices[0])
    assert "Your answer is recorded" in page
    assert not Link.objects.exists()
    _run(world)
    link = Link.objects.get()
    assert (str(link.dynamics), str(link.marketo)) == (
        decision.facts["record"]["id"],
        decision.facts["candidates"][0]["id"],
    )
    assert (link.dirty, link.agreed) == (True, {})
    decision.refresh_from_db()
    assert (decision.answer, decision.answered_by, decision.due) == ({"choice": decision.choices[0]}, "oscar", False)
    assert {"linked", "decided"} == set(Activity.objects.values_list("kind", flat=True))


def test_keeping_a_record_apart_has_a_person_of_its_own_made(oscar: Client, world: World) -> None:
    decision = _match(world)
    _post(oscar, f"/decisions/{decision.pk}/", choice="separate")
    _run(world)
    write = PendingWrite.objects.get()
    assert (write.side, write.op, write.link.marketo) == ("marketo", "create", None)


def test_taken_back_before_the_run_nothing_happens(oscar: Client, world: World) -> None:
    decision = _match(world)
    _post(oscar, f"/decisions/{decision.pk}/", choice="separate")
    assert "Ada King" in _page(oscar, "/decisions/?state=waiting")
    assert "1 answer is taken back" in _post(oscar, "/decisions/back/", chosen=decision.pk)
    _run(world)
    assert not PendingWrite.objects.exists()
    decision.refresh_from_db()
    assert (decision.answer, decision.answered_at) == (None, None)
    _post(oscar, f"/decisions/{decision.pk}/", choice="separate")
    _run(world)
    assert "a run has carried it out already" in _post(oscar, "/decisions/back/", chosen=decision.pk)


def test_an_answer_that_no_longer_fits_is_asked_again_with_the_reason(oscar: Client, world: World) -> None:
    decision = _match(world)
    person = int(decision.facts["candidates"][0]["id"])
    _post(oscar, f"/decisions/{decision.pk}/", choice=decision.choices[0])
    other = world.in_dynamics("Somebody")
    Link.objects.create(table="lead", dynamics=other.guid, marketo=person, linked_at=world.now)
    _run(world)
    decision.refresh_from_db()
    assert (decision.answered_at, decision.due) == (None, False)
    assert "has been linked with another one since" in _page(oscar, f"/decisions/{decision.pk}/")
    assert Link.objects.count() == 1


def test_who_answers_second_is_not_told_that_the_answer_is_recorded(
    oscar: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = world.decision("dynamics_merge", choices=["done", "keep"])
    look = queries.one

    def faster(pk: int) -> queries.DecisionRow | None:
        row = look(pk)
        bulk_answers.answer(bulk_answers.Which((pk,)), "keep", "ada", world.now)
        return row

    monkeypatch.setattr(queries, "one", faster)
    page = oscar.post(f"/decisions/{decision.pk}/", {"choice": "done"}, follow=True).content.decode()
    assert "None of these is open with that answer any more." in page
    assert "Your answer is recorded" not in page
    decision.refresh_from_db()
    assert (decision.answer, decision.answered_by) == ({"choice": "keep"}, "ada")


def test_an_answer_is_taken_once_and_only_from_the_choices(oscar: Client, world: World) -> None:
    decision = world.decision("dynamics_merge", choices=["done", "keep"])
    address = f"/decisions/{decision.pk}/"
    assert "not one of the choices" in _post(oscar, address, choice="burn")
    _post(oscar, address, choice="keep")
    assert "settled already" in _post(oscar, address, choice="done")
    assert "is recorded" in _post(oscar, address, choice="keep"), "a double click"
    assert AuditEntry.objects.filter(action="answer").count() == 1
    decision.refresh_from_db()
    assert decision.answer == {"choice": "keep"}


def test_choosing_a_value_settles_the_conflict_at_once(oscar: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    conflict = world.conflict(link, key=CITY, state="open", winner="")
    facts = {"conflict": conflict.pk, "key": CITY, "agreed": ["a", "a"], "dynamics": "Paris", "marketo": "Rome"}
    subject = f"link:{link.pk}:{CITY}"
    choices = ["dynamics", "marketo"]
    decision = world.decision("ask", link=link, facts=facts, choices=choices, subject=subject)
    page = _page(oscar)
    assert "Paris" in page
    assert "Rome" in page
    _post(oscar, f"/decisions/{decision.pk}/", choice="marketo")
    conflict.refresh_from_db()
    link.refresh_from_db()
    decision.refresh_from_db()
    assert (conflict.state, conflict.chosen, conflict.decided_by, link.dirty) == ("chosen", "marketo", "oscar", True)
    assert decision.answer == {"choice": "marketo"}
    assert "1 answer is taken back" in _post(oscar, "/decisions/back/", chosen=decision.pk)
    assert Conflict.objects.get().state == "open"
    decision.refresh_from_db()
    assert decision.answered_at is None


def test_held_deletes_are_applied_only_when_said_so(oscar: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    told = {str(link.dynamics): world.now.isoformat()}
    facts = {"side": "dynamics", "ids": list(told), "told": told, "count": 1}
    refused = world.decision("deletes_held", facts=facts, choices=["apply", "refuse"])
    _post(oscar, f"/decisions/{refused.pk}/", choice="refuse")
    _run(world)
    assert not Link.objects.get().dynamics_deleted
    applied = world.decision("deletes_held", facts=facts, choices=["apply", "refuse"])
    _post(oscar, f"/decisions/{applied.pk}/", choice="apply")
    _run(world)
    assert Link.objects.get().dynamics_deleted


def test_two_links_meeting_are_settled_in_favour_of_the_one_chosen(oscar: Client, world: World) -> None:
    moved, winner = world.linked("Ada Byron"), world.linked("Ada King")
    Link.objects.filter(pk=moved.pk).update(marketo_deleted=True, stopped=True)
    facts = {"loser": moved.marketo, "winner": winner.marketo}
    choices = ["keep_winner", "keep_loser", "new_person"]
    decision = world.decision("links_meeting", link=moved, facts=facts, choices=choices)
    number = winner.marketo
    _post(oscar, f"/decisions/{decision.pk}/", choice="keep_loser")
    _run(world)
    moved.refresh_from_db()
    winner.refresh_from_db()
    assert (moved.marketo, moved.stopped, moved.dirty, moved.agreed) == (number, False, True, {})
    assert (winner.marketo, winner.stopped) == (None, True)


def test_the_record_that_lost_its_person_gets_a_new_one(oscar: Client, world: World) -> None:
    moved, winner = world.linked("Ada Byron"), world.linked("Ada King")
    Link.objects.filter(pk=moved.pk).update(marketo_deleted=True, stopped=True)
    facts = {"loser": moved.marketo, "winner": winner.marketo}
    decision = world.decision("links_meeting", link=moved, facts=facts, choices=["new_person"])
    _post(oscar, f"/decisions/{decision.pk}/", choice="new_person")
    _run(world)
    moved.refresh_from_db()
    assert (moved.marketo, moved.marketo_deleted, moved.stopped) == (None, False, False)
    assert (PendingWrite.objects.get().link_id, PendingWrite.objects.get().op) == (moved.pk, "create")


# --- the list --------------------------------------------------------------------------------------------------------


def test_it_pages_and_nothing_to_do_says_so(vic: Client, world: World) -> None:
    assert "Nothing to decide." in _page(vic)
    for _ in range(41):
        world.decision()
    seen: list[int] = []
    address = "/decisions/?kind=match"
    while address:
        text = _page(vic, address)
        seen += [int(found) for found in re.findall(r'aria-labelledby="decision-(\d+)">', text)]
        following = re.search(r'rel="next" href="([^"]*)"', text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == list(Decision.objects.order_by("-pk").values_list("pk", flat=True))


def test_it_is_narrowed_by_kind_shape_and_state(vic: Client, world: World) -> None:
    _match(world)
    world.decision("deletes_held", facts={"side": "marketo", "count": 70}, choices=["apply", "refuse"])
    page = _page(vic)
    assert "several people in Marketo have this e-mail address; one candidate" in page
    narrowed = _page(vic, "/decisions/?kind=deletes_held").split('class="questions"')[1]
    assert "Many records were deleted at once" in narrowed
    assert "Ada King" not in narrowed
    shape = Decision.objects.get(kind="match").shape
    assert "Ada King" in _page(vic, f"/decisions/?kind=match&shape={shape.replace('+', '%2B')}")
    assert "Nothing here." in _page(vic, "/decisions/?state=answered")


def test_the_export_has_all_that_fit(vic: Client, world: World) -> None:
    for number in range(25):
        _match(world, f"Ada{number}")
    answer = vic.get("/decisions/?kind=match&format=csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 25
    assert rows[0]["Records"].startswith("Ada24 Byron (")


# --- together --------------------------------------------------------------------------------------------------------


def test_many_of_a_shape_are_answered_together_with_the_number_first(oscar: Client, world: World) -> None:
    for number in range(3):
        _match(world, f"Ada{number}")
    page = _post(oscar, "/decisions/together/", which="all", kind="match")
    assert "One answer for 3 questions" in page
    assert "Link each with the one candidate it has" in page
    assert not Decision.objects.exclude(answered_at=None).exists()
    page = _post(oscar, "/decisions/together/", which="all", kind="match", sure="1", choice="only_link")
    assert "3 answers are recorded" in page
    _run(world)
    assert Link.objects.count() == 3
    assert AuditEntry.objects.filter(action="answer").count() == 1


def test_the_chosen_ones_only(oscar: Client, world: World) -> None:
    first, second, third = (_match(world, name) for name in ("Ada", "Bo", "Cy"))
    chosen = [first.pk, third.pk]
    assert "One answer for 2 questions" in _post(oscar, "/decisions/together/", chosen=chosen)
    _post(oscar, "/decisions/together/", chosen=chosen, sure="1", choice="separate")
    assert set(Decision.objects.filter(due=True).values_list("pk", flat=True)) == set(chosen)
    other = _post(oscar, "/decisions/back/", which="all", state="waiting", kind="deletes_held")
    assert "Nothing could be taken back" in other
    assert Decision.objects.filter(due=True).count() == 2
    assert "2 answers are taken back" in _post(oscar, "/decisions/back/", which="all", state="waiting", kind="match")
    assert second.answered_at is None


def test_questions_of_different_shapes_have_no_answer_in_common(oscar: Client, world: World) -> None:
    _match(world)
    world.decision("deletes_held", choices=["apply", "refuse"], shape="marketo/apply+refuse")
    assert "They are of different kinds" in _post(oscar, "/decisions/together/", which="all")
    assert "No question was chosen" in _post(oscar, "/decisions/together/", which="chosen")
    assert "None of these is open with that answer" in _post(
        oscar, "/decisions/together/", which="all", sure="1", choice="burn"
    )
    assert not Decision.objects.exclude(answered_at=None).exists()


def test_ten_thousand_are_answered_in_one_press(oscar: Client, world: World) -> None:
    rows = [
        Decision(
            kind="dynamics_merge",
            subject=f"dynamics:{number}",
            choices=["done", "keep"],
            shape="/done+keep",
            opened_at=world.now,
        )
        for number in range(10_000)
    ]
    Decision.objects.bulk_create(rows)
    page = _post(oscar, "/decisions/together/", which="all", sure="1", choice="keep", kind="dynamics_merge")
    assert "10000 answers are recorded" in page
    assert Decision.objects.filter(answered_by="oscar").count() == 10_000


def test_a_viewer_reads_but_changes_nothing(vic: Client, world: World) -> None:
    decision = _match(world)
    before: list[Any] = list(Decision.objects.values())
    for address in (f"/decisions/{decision.pk}/", "/decisions/together/", "/decisions/back/"):
        assert vic.post(address, {"choice": "separate", "chosen": decision.pk, "sure": "1"}).status_code == 403
    assert list(Decision.objects.values()) == before
    assert DynamicsRecord.objects.get().due == "decision"
