"""Before the start: a dry run by the sync's own planner that writes nothing; and what starts is what was shown."""

from __future__ import annotations

import pytest

from syncadmin.services import cycle, preview, resolve, setup, start
from syncadmin.store import options, planned, planned_counts
from syncadmin.store.models import (
    Activity,
    Checkpoint,
    Conflict,
    Decision,
    DynamicsRecord,
    Failure,
    FieldPair,
    Link,
    PendingWrite,
)
from tests.services.rehearsal import Rehearsal, field_writes, people, planned_fields

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_preview_writes_nothing_over_there_and_counts() -> None:
    world = Rehearsal()
    people(world)
    before = world.mark()

    world.preview()

    assert world.mark() == before
    assert (world.ours("dynamics"), world.ours("marketo")) == (0, 0)
    assert not PendingWrite.objects.exclude(state="planned").exists()
    counts, _ = planned.summary()
    assert (counts["create_marketo"], counts["matched"], counts["ambiguous"]) == (1, 2, 2)
    assert (counts["only_marketo"], counts["records"], counts["people"]) == (1, 5, 3)


def test_what_starts_is_what_was_shown() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    shown = planned_fields()
    assert len(shown) > 10

    world.start()
    mark = world.mark()
    world.sync(1)

    assert field_writes(world, mark) == shown
    assert not PendingWrite.objects.filter(state="planned").exists()


def test_what_changed_in_between_is_planned_anew() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()
    shown = planned_fields()
    world.dynamics.edit("lead", made["match"], {"telephone1": "22"})
    mark = world.mark()

    world.start()
    world.sync(1)

    done = field_writes(world, mark)
    differ = set(shown.items()) ^ set(done.items())
    assert {name for (_, _, name), _ in differ} == {"phone"}
    assert world.person_of(made["match"])["phone"] == "22"


def test_another_rule_is_planned_without_reading_again() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()
    titles = {key: value for key, value in planned_fields().items() if key[2] in ("jobtitle", "title")}
    calls = world.reads()

    setup.change("first_contact", "dynamics", who="ada", now=world.clock())
    plan = planned.plan()
    assert plan and preview.is_stale(plan)
    world.preview()

    again = {key: value for key, value in planned_fields().items() if key[2] in ("jobtitle", "title")}
    assert ("dynamics", made["match"], "jobtitle") in titles
    assert ("marketo", made["vik"], "title") in again
    assert ("dynamics", made["match"], "jobtitle") not in again
    assert world.reads() == calls


def test_another_pairing_is_planned_from_the_beginning() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    calls = world.reads()

    setup.change("several", "each", who="ada", now=world.clock())
    world.preview()

    counts, _ = planned.summary()
    assert (counts["ambiguous"], counts["create_marketo"], counts["create_later"]) == (0, 2, 1)
    assert world.reads() == calls


def test_the_same_preview_asked_twice_changes_nothing() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    rows = list(PendingWrite.objects.order_by("pk").values_list("pk", "inputs"))

    world.preview()

    assert list(PendingWrite.objects.order_by("pk").values_list("pk", "inputs")) == rows


def test_a_start_with_an_outdated_preview_is_refused() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    setup.change("first_contact", "dynamics", who="ada", now=world.clock())

    with pytest.raises(start.Outdated):
        world.start()

    assert not options.read().started


def test_a_start_from_a_page_that_showed_another_plan_is_refused() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    found = planned.plan()
    assert found is not None
    setup.change("first_contact", "dynamics", who="bo", now=world.clock())
    world.preview()

    for shown in (found.rules, ""):
        with pytest.raises(start.Outdated):
            start.as_shown(shown, who="ada", now=world.clock())

    assert not options.read().started
    world.start()
    assert options.read().started


def test_an_operators_start_throws_an_outdated_plan_away() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()
    setup.change("first_contact", "dynamics", who="ada", now=world.clock())

    setup.start(who="ada", now=world.clock())
    world.sync(3)

    assert world.person_of(made["match"])["title"] == "Boss"
    assert world.quiet()


def test_starting_twice_is_harmless() -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    world.start()
    world.sync(2)
    mark = world.mark()

    world.start()
    world.sync(1)

    assert world.mark() == mark


def test_failures_to_expect_are_told_before_and_after() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()

    expected = Failure.objects.get(cause="too_long", closed_at=None)
    assert expected.link_id == world.link_of(made["contact"]).pk
    world.start()
    world.sync(2)

    assert Failure.objects.get(cause="too_long", closed_at=None).link_id == expected.link_id
    assert world.logged(made["moe"]) == ["Failed"]


def test_what_is_planned_before_the_start_counts_for_nothing() -> None:
    """An edit in between is settled as on first contact, whenever the preview was made."""
    world = Rehearsal()
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example", "jobtitle": "Boss"})
    person = world.marketo.create("person", {"email": "v@x.example", "lastName": "Vik", "title": "Boss"})
    world.preview()
    assert not [key for key in planned_fields() if key[2] in ("jobtitle", "title")]

    world.dynamics.edit("lead", guid, {"jobtitle": "Head"})
    world.preview()

    assert planned_fields()["dynamics", guid, "jobtitle"] == "Boss"
    assert Conflict.objects.filter(rule="first_rule").count() == 1
    assert Link.objects.get(marketo=int(person)).agreed.get("lead.jobtitle:title") is None


def test_who_is_deleted_before_the_start_is_planned_anew() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()
    world.marketo.delete("person", made["vik"])

    world.preview()

    assert PendingWrite.objects.get(op="create", target=made["match"]).state == "planned"
    assert not Link.objects.filter(marketo=int(made["vik"])).exists()
    assert not Activity.objects.filter(kind="deleted").exists()


def test_nothing_is_done_before_somebody_asks() -> None:
    world = Rehearsal()
    people(world)
    assert not cycle.due(world.clock())
    preview.ask(who="ada", now=world.clock())
    assert cycle.due(world.clock())


def test_fields_must_be_chosen_first() -> None:
    world = Rehearsal()
    FieldPair.objects.all().delete()
    options.write("field_version", 0)
    with pytest.raises(preview.NotReady):
        preview.ask(who="ada", now=world.clock())


def test_an_answer_given_before_the_start_holds() -> None:
    world = Rehearsal()
    made = people(world)
    world.preview()
    question = Decision.objects.get(kind="match", answered_at=None)
    resolve.answer(question.pk, "each", "ada", world.clock())
    world.preview()
    for name, value in (("first_contact", "dynamics"), ("several", "contact_first")):
        assert planned.summary()[0]["ambiguous"] == 0
        assert planned.summary()[0]["create_marketo"] + planned.summary()[0]["create_later"] == 3
        options.write(name, value)
        world.preview()

    assert not Decision.objects.filter(kind="match", answered_at=None).exists()
    assert made["twice"] in {write.target for write in PendingWrite.objects.filter(op="create")} | {
        str(guid) for guid in DynamicsRecord.objects.filter(wait_for="create").values_list("guid", flat=True)
    }
    assert world.ours("marketo") == 0


def test_how_much_has_been_read_is_told() -> None:
    world = Rehearsal()
    people(world)
    world.preview()

    assert planned_counts.totals() == {"lead": 4, "contact": 1}
    assert [(read.stream, read.done) for read in planned_counts.reads(("lead", "contact"))] == [
        ("lead", True),
        ("contact", True),
        ("person", True),
    ]


def test_a_share_is_told_while_a_table_is_being_read() -> None:
    Rehearsal()
    planned_counts.put_total("lead", 8_000)
    Checkpoint.objects.create(name="dynamics.lead.full", position={"state": "reading", "rows": 2_000})

    lead, contact, person = planned_counts.reads(("lead", "contact"))

    assert (lead.rows, lead.share, lead.done) == (2_000, 0.25, False)
    assert (contact.share, person.share) == (None, 0.0)
