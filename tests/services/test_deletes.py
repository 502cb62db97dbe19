"""Deletes (design 3.5): only by notice or by "does not exist"; restores; too many at once; the sweep."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from syncadmin.engine.records import Lane
from syncadmin.sandbox.faults import Fault
from syncadmin.services import pull_marketo, setup, suppression
from syncadmin.store import mirror, work
from syncadmin.store.mirror import DynamicsRow, PersonRow
from syncadmin.store.models import Activity, Decision, DynamicsRecord, Failure, Link, MarketoPerson, PendingWrite
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    return World()


def deleted_in_marketo(world, person):
    return world.marketo.get("person", person).get("dynDeleted", False)


def many(world, number):
    """So many leads, each linked with its person."""
    world.dynamics.load("lead", [{"lastname": f"L{n}", "emailaddress1": f"{n}@x.example"} for n in range(number)])
    world.sync(2)
    return [row["leadid"] for row in world.dynamics.rows("lead")]


# --- in Dynamics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_a_deleted_records_person_stays_and_is_told(world, table):
    guid, person = world.linked(table)
    world.dynamics.delete(table, guid)
    world.settle()

    assert world.marketo.get("person", person)["lastName"] == "Vik"
    assert deleted_in_marketo(world, person) is True
    link = world.link_of(guid)
    assert (link.dynamics_deleted, str(link.marketo)) == (True, person)
    assert len(world.told(guid, "deleted")) == 1
    assert world.logged(person) == ["Deleted in Dynamics"]


def test_what_changes_in_marketo_afterwards_goes_nowhere(world):
    guid, person = world.linked()
    world.dynamics.delete("lead", guid)
    world.settle()
    world.marketo.edit("person", person, {"title": "Boss"})
    before = world.ours("dynamics")
    world.settle()

    assert world.ours("dynamics") == before
    assert world.dynamics.get("lead", guid) is None
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_read_from_before_the_delete_brings_nobody_back(world):
    """Stored late, it would show as alive, and be written to, whoever is gone on either side."""
    here, person = world.linked()
    there, other = world.linked(emailaddress1="other@x.example")
    begun = world.clock()
    record, read = DynamicsRecord.objects.get(guid=here), MarketoPerson.objects.get(person=int(other))
    world.clock.sleep(1)
    world.dynamics.delete("lead", here)
    world.marketo.delete("person", other)
    world.sync()

    late = DynamicsRow("lead", here, {**record.values, "jobtitle": "Ghost"}, record.version + "0", email=record.email)
    ghost = PersonRow(int(other), {**read.values, "title": "Ghost"}, email=read.email)
    with transaction.atomic():
        assert mirror.store_dynamics([late], seen=begun, lane=Lane.LIVE) == []
        assert mirror.store_people([ghost], seen=begun, lane=Lane.LIVE) == []
    assert DynamicsRecord.objects.get(guid=here).deleted_at is not None
    assert MarketoPerson.objects.get(person=int(other)).deleted_at is not None
    assert str(world.link_of(here).marketo) == person
    assert world.link_of(there).marketo_deleted


def test_a_read_from_before_a_merge_brings_no_loser_back(world):
    """Alive again, a person who is gone for ever would be found for the next record with the address."""
    (_, winner), (there, loser) = world.linked(), world.linked(emailaddress1="other@x.example")
    begun, read = world.clock(), MarketoPerson.objects.get(person=int(loser))
    world.clock.sleep(1)
    world.marketo.merge(winner, [loser])
    world.sync()

    ghost = PersonRow(int(loser), {**read.values, "title": "Ghost"}, email=read.email)
    with transaction.atomic():
        assert mirror.store_people([ghost], seen=begun, lane=Lane.LIVE) == []
    gone = MarketoPerson.objects.get(person=int(loser))
    assert (gone.deleted_at is not None, str(gone.merged_into)) == (True, winner)
    assert world.link_of(there).marketo_deleted


def test_a_restored_record_revives_its_link(world):
    guid, person = world.linked()
    row = world.dynamics.get("lead", guid)
    world.dynamics.delete("lead", guid)
    world.settle()
    world.dynamics.restore("lead", guid, {**row, "jobtitle": "Boss"})
    world.settle()

    link = world.link_of(guid)
    assert (link.dynamics_deleted, str(link.marketo)) == (False, person)
    assert deleted_in_marketo(world, person) is False
    assert world.marketo.get("person", person)["title"] == "Boss"
    assert len(world.told(guid, "restored")) == 1
    assert Link.objects.count() == 1


def test_what_marketo_changed_while_the_record_was_away_reaches_the_restored_one(world):
    guid, person = world.linked()
    row = world.dynamics.get("lead", guid)
    world.dynamics.delete("lead", guid)
    world.settle()
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.sync()
    world.dynamics.restore("lead", guid, row)
    world.settle()

    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"


def test_deleted_and_restored_between_two_runs_is_nothing(world):
    guid, person = world.linked()
    row = world.dynamics.get("lead", guid)
    world.dynamics.delete("lead", guid)
    world.dynamics.restore("lead", guid, row)
    world.settle()

    assert world.link_of(guid).dynamics_deleted is False
    assert deleted_in_marketo(world, person) is False


def test_a_record_deleted_before_it_had_a_person_leaves_nothing(world):
    world.sync()  # from now on deletes are told
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example"})
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/leads.json*", times=-1))
    world.sync()
    world.dynamics.delete("lead", guid)
    world.sync()
    world.marketo.faults.clear()
    world.settle()

    assert not Link.objects.exists()
    assert not list(world.marketo.rows("person"))
    assert not PendingWrite.objects.exists()


def test_does_not_exist_to_a_write_is_a_notice(world):
    guid, person = world.linked()
    world.dynamics.delete("lead", guid)
    world.dynamics.faults.add(Fault("unavailable", path="/api/data/v9.2/leads?*deltatoken*", times=-1))
    world.marketo.edit("person", person, {"title": "Boss"})
    world.settle()

    assert world.link_of(guid).dynamics_deleted is True
    assert deleted_in_marketo(world, person) is True
    assert not Failure.objects.filter(closed_at=None, link=world.link_of(guid)).exists()


def test_a_record_absent_from_a_page_is_not_deleted(world):
    guid, person = world.linked()
    other, _ = world.linked()
    world.dynamics.edit("lead", other, {"jobtitle": "Boss"})
    world.settle()

    assert world.link_of(guid).dynamics_deleted is False
    assert deleted_in_marketo(world, person) is False


# --- in Marketo ------------------------------------------------------------------------------------------------------


def test_a_deleted_persons_record_stays(world):
    guid, person = world.linked()
    before = world.ours("dynamics")
    world.marketo.delete("person", person)
    world.settle()

    assert world.link_of(guid).marketo_deleted is True
    assert world.dynamics.get("lead", guid)["lastname"] == "Vik"
    assert world.ours("dynamics") == before
    assert not list(world.marketo.rows("person"))
    assert len(world.told(guid, "deleted")) == 1


def test_the_next_change_of_a_selected_column_makes_a_new_person(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    world.settle()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.settle()

    renewed = world.person_of(guid)
    assert renewed["id"] != int(person)
    assert (renewed["title"], renewed["email"]) == ("Boss", "lead1@fjord.example")
    assert world.link_of(guid).marketo_deleted is False
    assert Link.objects.count() == 1
    assert world.quiet()


def test_the_change_that_meets_the_deleted_person_makes_the_new_one(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/activities/deletedleads*", times=-1))
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.settle()

    assert world.person_of(guid)["title"] == "Boss"
    assert world.person_of(guid)["id"] != int(person)


def test_a_change_of_a_column_nobody_chose_makes_nobody(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    world.settle()
    world.dynamics.edit("lead", guid, {"pager": "1"})
    world.settle()

    assert not list(world.marketo.rows("person"))
    assert world.link_of(guid).marketo_deleted is True


def test_an_erased_person_is_not_made_again(world):
    guid, person = world.linked()
    suppression.suppress([person, guid], "lead1@fjord.example", world.clock())
    world.marketo.delete("person", person)
    world.settle()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.settle()

    assert not list(world.marketo.rows("person"))


def test_a_person_somebody_else_made_anew_is_linked(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    other = world.marketo.create("person", {"lastName": "Vik", "email": "lead1@fjord.example", "city": "Bergen"})
    world.settle()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.settle()

    assert str(world.link_of(guid).marketo) == other
    assert world.marketo.get("person", other)["title"] == "Boss"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"


def test_both_deleted_and_nothing_happens(world):
    guid, person = world.linked()
    world.dynamics.delete("lead", guid)
    world.marketo.delete("person", person)
    world.settle()

    assert world.quiet()
    assert not Failure.objects.filter(closed_at=None).exists()
    assert not PendingWrite.objects.exists()


# --- too many at once ------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(world):
    setup.change("deletes_at_least", 2, who="ada", now=world.clock())
    return world


def test_too_many_deletes_in_dynamics_are_held_and_the_rest_goes_on(strict):
    guids = many(strict, 4)
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.dynamics.edit("lead", guids[3], {"jobtitle": "Boss"})
    strict.settle()

    held = strict.question("deletes_held")
    assert (held.subject, held.facts["count"], set(held.facts["ids"])) == ("dynamics", 3, set(guids[:3]))
    assert not Link.objects.filter(dynamics_deleted=True).exists()
    assert not any(person.get("dynDeleted") for person in strict.marketo.rows("person"))
    assert strict.person_of(guids[3])["title"] == "Boss"


def test_held_deletes_that_are_meant_are_carried_out(strict):
    guids = many(strict, 4)
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.settle()
    strict.answer("deletes_held", "apply")
    strict.settle()

    assert Link.objects.filter(dynamics_deleted=True).count() == 3
    assert sum(bool(person.get("dynDeleted")) for person in strict.marketo.rows("person")) == 3
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_read_from_before_a_held_delete_brings_nobody_back_after_the_answer(strict):
    guids = many(strict, 4)
    before = DynamicsRecord.objects.get(guid=guids[0])
    asked = strict.clock()
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.settle()
    strict.answer("deletes_held", "apply")
    strict.settle()
    with transaction.atomic():
        row = DynamicsRow("lead", guids[0], dict(before.values), before.version, email=before.email)
        mirror.store_dynamics([row], seen=asked, lane=Lane.LIVE)

    assert DynamicsRecord.objects.get(guid=guids[0]).deleted_at is not None


def test_a_record_restored_while_its_delete_was_held_is_not_marked(strict):
    guids = many(strict, 4)
    rows = {guid: strict.dynamics.get("lead", guid) for guid in guids}
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.settle()
    strict.dynamics.restore("lead", guids[0], rows[guids[0]])
    strict.settle()
    strict.answer("deletes_held", "apply")
    strict.settle()

    assert strict.link_of(guids[0]).dynamics_deleted is False
    assert Link.objects.filter(dynamics_deleted=True).count() == 2
    assert not strict.person_of(guids[0]).get("dynDeleted")


def test_refused_deletes_leave_everything_as_it_is(strict):
    guids = many(strict, 4)
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.settle()
    before = strict.ours("marketo")
    strict.answer("deletes_held", "refuse")
    strict.settle()

    assert not Link.objects.filter(dynamics_deleted=True).exists()
    assert strict.ours("marketo") == before
    assert not Decision.objects.filter(answered_at=None).exists()


def test_too_many_deletes_in_marketo_are_held_and_answered(strict):
    many(strict, 4)
    people = [row["id"] for row in strict.marketo.rows("person")]
    for person in people[:3]:
        strict.marketo.delete("person", person)
    strict.settle()

    held = strict.question("deletes_held")
    assert (held.subject, set(held.facts["ids"])) == ("marketo", {str(person) for person in people[:3]})
    assert not Link.objects.filter(marketo_deleted=True).exists()
    strict.answer("deletes_held", "apply")
    assert Link.objects.filter(marketo_deleted=True).count() == 3


def test_deletes_told_page_by_page_in_one_run_count_together(strict):
    guids = many(strict, 4)
    strict.dynamics.configure(page_rows=1)
    for guid in guids[:4]:
        strict.dynamics.delete("lead", guid)
    strict.settle()

    assert strict.question("deletes_held").facts["count"] >= 1
    assert Link.objects.filter(dynamics_deleted=True).count() <= 2


def test_few_deletes_among_few_links_are_believed(world):
    guids = many(world, 3)
    for guid in guids:
        world.dynamics.delete("lead", guid)
    world.settle()

    assert Link.objects.filter(dynamics_deleted=True).count() == 3
    assert not Decision.objects.exists()


# --- the sweep -------------------------------------------------------------------------------------------------------


def test_an_expired_delta_token_means_a_full_read_and_a_sweep(world):
    kept, gone, changed = many(world, 3)
    world.dynamics.delete("lead", gone)
    world.dynamics.edit("lead", changed, {"jobtitle": "Boss"})
    world.dynamics.expire_delta_tokens()
    world.settle()

    assert world.person_of(changed)["title"] == "Boss"
    assert world.link_of(gone).dynamics_deleted is True
    assert world.link_of(kept).dynamics_deleted is False
    assert deleted_in_marketo(world, world.link_of(gone).marketo) is True
    assert world.quiet()


def test_a_record_the_full_read_missed_but_that_exists_is_kept(world):
    guid, person = world.linked()
    world.dynamics.expire_delta_tokens()
    # Missed for whatever reason: a page that came without it.
    DynamicsRecord.objects.update(full_read=-1)
    world.settle()

    assert world.link_of(guid).dynamics_deleted is False
    assert deleted_in_marketo(world, person) is False


def test_a_read_that_is_late_does_not_bring_back_who_the_sweep_found_gone(world):
    """Begun while the record was there, and stored when the sweep is over: its link would go on without it."""
    guid, person = world.linked()
    world.clock.forward(seconds=5)
    begun, read = world.clock(), DynamicsRecord.objects.get(guid=guid)
    world.dynamics.delete("lead", guid)
    world.dynamics.expire_delta_tokens()
    world.settle()
    late = DynamicsRow("lead", guid, {**read.values, "jobtitle": "Ghost"}, read.version, email=read.email)
    with transaction.atomic():
        assert mirror.store_dynamics([late], seen=begun, lane=Lane.LIVE) == []

    world.settle()
    assert world.link_of(guid).dynamics_deleted is True
    assert deleted_in_marketo(world, person) is True


def test_the_sweep_holds_too_many_deletes_as_well(strict):
    guids = many(strict, 4)
    for guid in guids[:3]:
        strict.dynamics.delete("lead", guid)
    strict.dynamics.expire_delta_tokens()
    strict.settle()

    assert strict.question("deletes_held").facts["count"] == 3
    assert not Link.objects.filter(dynamics_deleted=True).exists()


def fortnight(world):
    """More than 14 days without a question for deletes: notices of that time are not kept over there."""
    found = work.checkpoint(pull_marketo.DELETED)
    type(found).objects.filter(pk=found.pk).update(as_of=world.clock() - timedelta(days=15))


def vanish(world, person):
    """A person gone without a notice that we could still get."""
    world.marketo.delete("person", person)
    world.wires["marketo"].spoil("/rest/v1/activities/deletedleads.json", lambda answer: answer.update(result=[]))


def test_people_not_answered_for_in_two_runs_are_one_question(world):
    many(world, 3)
    people = [row["id"] for row in world.marketo.rows("person")]
    for person in people[:2]:
        vanish(world, person)
    fortnight(world)
    world.sync(1)
    assert not Decision.objects.exists()
    world.sync(2)

    missing = world.question("ids_missing")
    assert (missing.facts["count"], missing.facts["ids"]) == (2, [str(person) for person in people[:2]])
    assert not Link.objects.filter(marketo_deleted=True).exists()


def test_missing_people_said_to_be_gone_are_as_deleted(world):
    guid, person = world.linked()
    vanish(world, person)
    fortnight(world)
    world.settle()
    world.answer("ids_missing", "apply")
    world.settle()

    assert world.link_of(guid).marketo_deleted is True
    assert world.dynamics.get("lead", guid) is not None
    assert not Decision.objects.filter(answered_at=None).exists()


def test_missing_people_only_out_of_sight_stay_linked(world):
    guid, person = world.linked()
    vanish(world, person)
    fortnight(world)
    world.settle()
    world.answer("ids_missing", "refuse")
    world.settle()

    assert world.link_of(guid).marketo_deleted is False
    assert MarketoPerson.objects.get(person=person).deleted_at is None
    assert not Decision.objects.filter(answered_at=None).exists()


def test_people_who_answer_are_no_question(world):
    guid, _person = world.linked()
    fortnight(world)
    world.settle()

    assert not Decision.objects.exists()
    assert world.link_of(guid).marketo_deleted is False
    assert Activity.objects.filter(kind="deleted").count() == 0


def test_the_history_stays_when_the_record_goes_after_its_person(world):
    """Its link waits for a new person meanwhile; deleting it would take away where its lines are found."""
    guid, person = world.linked("contact", jobtitle="Mate")
    other = world.dynamics.create("contact", {"lastname": "Vik", "emailaddress1": "contact1@fjord.example"})
    world.settle()
    before = len(world.told(guid, "created"))
    world.marketo.delete("person", person)
    world.dynamics.edit("contact", guid, {"jobtitle": "Boss"})
    world.settle()
    assert world.link_of(guid).marketo is None

    world.dynamics.delete("contact", guid)
    world.settle()

    assert before and len(world.told(guid, "created")) == before
    assert other and world.link_of(guid).dynamics_deleted


def test_who_takes_over_a_widowed_person_brings_the_own_history_along(world):
    """The one lost its record, the other its person; by their address they are the same human now."""
    gone, widowed = world.linked("contact")
    guid, lost = world.linked("contact")
    world.dynamics.delete("contact", gone)
    world.settle()
    world.marketo.edit("person", widowed, {"email": "contact2@fjord.example"})
    world.marketo.delete("person", lost)
    world.dynamics.edit("contact", guid, {"jobtitle": "Boss"})
    world.settle()

    assert str(world.link_of(guid).marketo) == widowed
    assert sorted(line.details["id"] for line in world.told(guid, "created")) == sorted([widowed, lost])
    assert world.marketo.get("person", widowed)["title"] == "Boss"
