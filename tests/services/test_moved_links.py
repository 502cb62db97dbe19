"""A link moves while something of it is on its way: what that says of the record it left is not said of the new one."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import OperationalError, transaction

from syncadmin.connectors.contract import Merged, Outcome, Status
from syncadmin.engine.records import Lane, Ref, Side, Table
from syncadmin.sandbox.faults import Fault
from syncadmin.services import linking, notices, outcomes, pull_dynamics, rulebook, sync_person
from syncadmin.services.sync_person import Asked
from syncadmin.store import mirror
from syncadmin.store.models import Decision, DynamicsRecord, Failure, Link, MarketoPerson, PendingWrite, Run
from tests.services.test_kills import die_at
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
CREATES = {"method": "POST", "path": "/rest/v1/leads.json"}


@pytest.fixture
def world():
    return World()


def open_questions():
    return list(Decision.objects.filter(answered_at=None).values_list("kind", flat=True))


def people(world):
    return [str(row["id"]) for row in world.marketo.rows("person")]


@pytest.mark.parametrize("of_the_master", [None, "Boss"])
def test_an_edit_that_reached_only_the_record_merged_away_is_not_lost(world, of_the_master):
    """What was sent there and never answered passed for what the master agrees to, and its value came back."""
    lead, person = world.linked(jobtitle="Mate")
    address = world.dynamics.get("lead", lead)["emailaddress1"]
    master = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": address, "jobtitle": of_the_master})
    world.settle()
    world.marketo.edit("person", person, {"title": "Captain"})
    die_at(world, "push.dynamics.answered")
    assert world.dynamics.get("lead", lead)["jobtitle"] == "Captain"
    world.dynamics.merge("lead", master, lead)
    world.settle()

    assert str(world.link_of(master).marketo) == person
    assert world.dynamics.get("lead", master)["jobtitle"] == "Captain"
    assert world.marketo.get("person", person)["title"] == "Captain"


@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_an_answer_that_comes_after_a_merge_is_not_taken_for_the_masters(world, side):
    """Another worker stored the merge while the call was under way; the edit would lose to a value it should beat."""
    table = "lead" if side == "dynamics" else "contact"  # of first values the lead's person wins, else the contact
    record, person = world.linked(table, jobtitle="Mate")
    if side == "dynamics":
        other = world.dynamics.create(table, {"lastname": "Vik", "jobtitle": "Boss", "new_synctomkto": False})
        world.settle()
        world.marketo.edit("person", person, {"title": "Captain"})
    else:
        other = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example", "title": "Boss"})
        world.settle()
        world.dynamics.edit(table, record, {"jobtitle": "Captain"})

    def merged(ctx, book, run):
        if side == "marketo":
            world.marketo.merge(other, [person])
            with transaction.atomic():
                notices.people_merged(ctx, book, [Merged("1", other, (person,), ctx.now())], run)
            return
        world.dynamics.edit(table, other, {"new_synctomkto": True})
        world.dynamics.merge(table, other, record)
        refs = [Ref(Table(table), guid) for guid in (record, other)]
        found = ctx.dynamics.for_work(Lane.LIVE, "by id").fetch(refs, book.dynamics_columns(Table(table))).records
        with transaction.atomic():
            pull_dynamics._store_records(ctx, book, found, Lane.LIVE, ctx.now(), run)

    met = once_at(world, f"push.{side}.answered", merged)
    world.settle()

    assert met
    link = Link.objects.get(stopped=False)
    assert (str(link.dynamics), str(link.marketo)) == ((other, person) if side == "dynamics" else (record, other))
    assert world.dynamics.get(table, str(link.dynamics))["jobtitle"] == "Captain"
    assert world.marketo.get("person", str(link.marketo))["title"] == "Captain"
    assert ["Mate", "Captain"] in [
        change[1:3] for line in world.told(str(link.dynamics), "updated") for change in line.changes
    ]
    assert world.quiet()


@pytest.mark.parametrize("status", [Status.LATER, Status.REFUSED])
def test_what_a_lost_try_may_have_replaced_in_a_record_merged_away_is_told(world, status):
    """The second try is put off or refused, and nothing will come of it any more."""
    lead, _ = world.linked(jobtitle="Mate")
    told = {"sent": "Captain", "source": "Captain", "replaced": "Mate", "rule": "one_sided", "agreed": ["Captain"] * 3}
    write = PendingWrite.objects.create(
        link=world.link_of(lead),
        side="dynamics",
        op="update",
        table="lead",
        target=str(UUID(int=7)),
        values={"jobtitle": "Captain"},
        fields={"lead.jobtitle:title": told},
        state="sent",
        attempts=2,
        decided_at=world.clock(),
    )
    with transaction.atomic():
        answered = [outcomes.Answered(write, Outcome(status))]
        outcomes.updates(
            rulebook.load(), Side.DYNAMICS, answered, world.clock(), Run.objects.latest("id"), world.clock()
        )

    (line,) = world.told(lead, "updated")
    assert (line.details["id"], line.changes[0][1:3]) == (write.target, ["Mate", "Captain"])
    assert world.link_of(lead).agreed["lead.jobtitle:title"][:2] == ["Mate", "Mate"]
    assert not PendingWrite.objects.filter(pk=write.pk).exists()
    assert not Failure.objects.exists()


@pytest.mark.parametrize("of_the_master", [None, "Boss"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_write_to_marketo_under_way_when_the_record_is_merged_away_says_nothing_of_the_master(
    world, of_the_master, lost
):
    """The value just sent would pass for what the master agreed to, and be emptied or replaced by what stands there."""
    lead, person = world.linked("lead", jobtitle="Mate")
    values = {"lastname": "Vik", "jobtitle": of_the_master, "new_synctomkto": False}
    master = world.dynamics.create("lead", values)
    world.settle()
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})

    def merged(ctx, book, run):
        world.dynamics.edit("lead", master, {"new_synctomkto": True})
        world.dynamics.merge("lead", master, lead)
        refs = [Ref(Table.LEAD, guid) for guid in (lead, master)]
        found = ctx.dynamics.for_work(Lane.LIVE, "by id").fetch(refs, book.dynamics_columns(Table.LEAD)).records
        with transaction.atomic():
            pull_dynamics._store_records(ctx, book, found, Lane.LIVE, ctx.now(), run)

    if lost:
        die_at(world, "push.marketo.answered", wait=20)
        merged(world.context(), rulebook.load(), Run.objects.latest("id"))
        world.clock.forward(seconds=100)
    else:
        assert once_at(world, "push.marketo.answered", merged) == []
    world.settle()

    assert str(world.link_of(master).marketo) == person
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert world.dynamics.get("lead", master)["jobtitle"] == "Captain"
    assert world.quiet()


def once_at(world, border, what):
    """Does something the first time that a worker comes to this border; tells whether it did."""
    met = []

    def do(name):
        if name == border and not met:
            met.append(name)
            what(world.context(), rulebook.load(), Run.objects.latest("id"))

    world.border = do
    return met


def test_a_write_that_meets_a_merge_into_a_record_nobody_knows_yet_makes_no_second_person(world):
    lead, person = world.linked(jobtitle="Mate")
    world.dynamics.faults.add(Fault("unavailable", path="/api/data/v9.2/leads?*deltatoken*", times=-1))
    master = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "master@fjord.example"})
    world.dynamics.merge("lead", master, lead)
    world.marketo.edit("person", person, {"title": "Captain"})
    world.sync(2)
    assert DynamicsRecord.objects.get(guid=lead).merged_into is not None
    assert not DynamicsRecord.objects.filter(guid=master).exists()
    world.dynamics.faults.clear()
    world.settle()

    assert people(world) == [person]
    assert str(world.link_of(master).marketo) == person
    assert world.dynamics.get("lead", master)["jobtitle"] == "Captain"
    assert world.quiet()


def lost_create(world, **values):
    """A record whose person was made by a worker that was killed before it could store so: (GUID, person id)."""
    guid = world.dynamics.create("lead", {"lastname": "Vik", **values})
    die_at(world, "create.marketo.answered", wait=20)
    assert PendingWrite.objects.filter(op="create", side="marketo", state="sent").exclude(owner="").exists()
    (made,) = [str(row["id"]) for row in world.marketo.rows("person") if row.get("dynPersonGuid") == guid]
    return guid, made


def test_sync_person_of_somebody_linked_who_names_another_record_is_answered(world):
    """Anybody may write our field in Marketo; that the record it names waits for its create broke the answer."""
    _, person = world.linked()
    guid, _ = lost_create(world)
    world.marketo.edit("person", person, {"dynPersonGuid": guid})

    answer = sync_person.ask(world.context(), Asked(int(person)))

    assert answer.status == "exists"
    assert Link.objects.get(dynamics=guid).marketo is None


def test_sync_person_puts_no_needless_question_when_the_worker_was_killed(world):
    """Killed between the call and its answer, a worker leaves its name on the create."""
    address = {"emailaddress1": "ida@fjord.example"}
    twin = world.dynamics.create("lead", {"lastname": "Vik"})
    world.settle()
    guid, made = lost_create(world, **address)
    world.dynamics.edit("lead", twin, address)

    answer = sync_person.ask(world.context(), Asked(int(made)))

    assert (answer.status, answer.crm_id) == ("exists", guid)
    assert open_questions() == []


def test_sync_person_leaves_a_create_to_the_worker_who_is_about_to_store_its_answer(world):
    """Else the history tells that the person was found, and then that it was made."""
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@fjord.example"})
    asked = []

    def meanwhile(ctx, book, run):
        (made,) = people(world)
        asked.append(sync_person.ask(ctx, Asked(int(made))).status)
        assert Link.objects.get(dynamics=guid).marketo is None

    once_at(world, "create.marketo.answered", meanwhile)
    world.settle()

    assert asked
    assert [len(world.told(guid, kind)) for kind in ("created", "linked")] == [1, 0]
    assert people(world) == [str(world.link_of(guid).marketo)]
    assert open_questions() == []


def test_of_two_people_who_name_a_record_sync_person_chooses_none(world):
    """Somebody copied the person with our field; which of the two is meant, only a person can say."""
    copied = world.marketo.create("person", {"lastName": "Vik", "email": "copy@fjord.example"})
    world.settle()
    guid, made = lost_create(world)
    world.marketo.edit("person", copied, {"dynPersonGuid": guid})
    world.sync(3)
    assert MarketoPerson.objects.filter(dynamics_guid=guid).count() == 2
    assert Link.objects.get(dynamics=guid).marketo is None

    sync_person.ask(world.context(), Asked(int(made)))

    assert Link.objects.get(dynamics=guid).marketo is None
    world.clock.forward(seconds=100)
    world.settle()
    assert set(open_questions()) == {"match"}
    assert not Link.objects.filter(dynamics=guid, marketo__isnull=False).exists()


def test_sync_person_gives_way_to_the_loop_instead_of_answering_with_an_error(world, monkeypatch):
    """PostgreSQL ends one of two transactions that wait for each other; a campaign asks only once."""
    person = int(world.marketo.create("person", {"lastName": "Vik", "email": "vik@fjord.example"}))

    def clash(*args):
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(linking, "complete_lost", clash)
    assert sync_person.ask(world.context(), Asked(person)).status == "queued"
    monkeypatch.undo()
    world.settle()
    assert world.record_of(str(person))["lastname"] == "Vik"


def test_a_contact_that_waits_for_a_person_takes_the_link_of_the_lead_it_was(world):
    """It had a link with nobody already: the two met in a unique constraint, and the contact was never paired again."""
    lead, person = world.linked(jobtitle="Mate")
    contact = world.dynamics.create("contact", {"lastname": "Vik", "emailaddress1": "c@fjord.example"})

    def faster():
        world.marketo.create("person", {"lastName": "Vik", "email": "c@fjord.example"})
        world.dynamics.edit("contact", contact, {"originatingleadid": lead, "jobtitle": "Boss"})

    world.marketo.faults.add(Fault("rival", value=faster, **CREATES))
    die_at(world, "create.marketo.answered", wait=20)
    world.sync()
    assert world.link_of(contact).marketo is None
    world.clock.forward(seconds=100)
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert world.marketo.get("person", person)["title"] == "Boss"
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet()


def refused(world, table):
    """A record whose person Marketo refuses to make: its link has nobody."""
    guid = world.dynamics.create(table, {"lastname": "Vik", "emailaddress1": "refused@fjord.example"})
    world.marketo.faults.add(Fault("partial_batch", value=1, **CREATES))
    world.sync(2)
    assert (world.link_of(guid).marketo, world.failure().link) == (None, world.link_of(guid))
    return guid


def test_a_master_without_a_person_takes_the_one_of_the_record_merged_into_it(world):
    """It was asked what to do with two people, of whom there was one; and the record stood still."""
    loser, person = world.linked("contact", jobtitle="Mate")
    master = refused(world, "contact")
    world.dynamics.merge("contact", master, loser)
    world.dynamics.edit("contact", master, {"jobtitle": "Boss"})
    world.settle()

    assert str(world.link_of(master).marketo) == person
    assert world.marketo.get("person", person)["title"] == "Boss"
    assert (open_questions(), people(world)) == ([], [person])
    assert len(world.told(master, "merged")) == 1
    assert world.quiet()


def test_nobody_is_asked_about_a_record_without_a_person_that_is_merged_away(world):
    master, person = world.linked("contact", jobtitle="Mate")
    loser = refused(world, "contact")
    world.dynamics.merge("contact", master, loser)
    world.settle()

    assert (open_questions(), people(world)) == ([], [person])
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet()


def test_a_delete_met_by_a_write_is_not_undone_by_a_read_begun_before_it(world):
    lead, person = world.linked(jobtitle="Mate")
    before = DynamicsRecord.objects.get(guid=lead)
    world.dynamics.faults.add(Fault("unavailable", path="/api/data/v9.2/leads?*deltatoken*", times=-1))
    world.dynamics.delete("lead", lead)
    world.marketo.edit("person", person, {"title": "Captain"})
    asked = world.clock()
    world.sync()
    assert world.link_of(lead).dynamics_deleted
    with transaction.atomic():
        row = mirror.DynamicsRow("lead", lead, dict(before.values), before.version, email=before.email)
        mirror.store_dynamics([row], seen=asked, lane=Lane.LIVE)
    assert DynamicsRecord.objects.get(guid=lead).deleted_at is not None
