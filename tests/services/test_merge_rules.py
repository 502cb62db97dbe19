"""What happens to one field when one side, both sides or nobody changed it since both last agreed."""

from __future__ import annotations

import pytest

from syncadmin.services import resolve
from syncadmin.store.models import Activity, Conflict, Decision, Failure, PendingWrite
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = pytest.mark.parametrize("table", ["lead", "contact"])


def title(world, table, guid, person):
    return world.dynamics.get(table, guid).get("jobtitle"), world.marketo.get("person", person).get("title")


def edit_both(world, table, guid, person, here, there):
    world.dynamics.edit(table, guid, {"jobtitle": here})
    world.marketo.edit("person", person, {"title": there})
    world.sync()


@TABLES
def test_nothing_is_written_while_nobody_changes_anything(table):
    world = World()
    world.linked(table, jobtitle="Mate")

    assert world.quiet(3)
    assert not Conflict.objects.exists()


@TABLES
def test_a_change_in_dynamics_travels_to_marketo(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate")

    world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
    world.sync()

    assert title(world, table, guid, person) == ("Captain", "Captain")
    (line,) = world.told(guid, "updated")
    assert (line.side, line.changes) == ("marketo", [[f"{table}.jobtitle:title", "Mate", "Captain", "one_sided"]])
    assert line.run is not None
    assert world.quiet()


@TABLES
def test_a_change_in_marketo_travels_to_dynamics(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate")

    world.marketo.edit("person", person, {"title": "Captain"})
    world.sync()

    assert title(world, table, guid, person) == ("Captain", "Captain")
    (line,) = world.told(guid, "updated")
    assert (line.side, line.changes) == ("dynamics", [[f"{table}.jobtitle:title", "Mate", "Captain", "one_sided"]])
    assert world.quiet()


@TABLES
def test_both_sides_changed_to_the_same_is_no_conflict_and_no_write(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate")
    world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"title": " Captain"})

    assert world.quiet(2)
    assert not Conflict.objects.exists()
    assert world.link_of(guid).agreed[f"{table}.jobtitle:title"][:2] == ["Captain", "Captain"]


@pytest.mark.parametrize(
    ("table", "wins", "value", "rule"),
    [("lead", "marketo", "Boss", "collision_lead"), ("contact", "dynamics", "Captain", "collision_contact")],
)
def test_a_collision_is_won_by_the_side_the_table_says(table, wins, value, rule):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate")

    edit_both(world, table, guid, person, "Captain", "Boss")

    assert title(world, table, guid, person) == (value, value)
    found = Conflict.objects.get()
    assert (found.agreed_dynamics, found.agreed_marketo) == ("Mate", "Mate")
    assert (found.dynamics_value, found.marketo_value) == ("Captain", "Boss")
    assert (found.winner, found.rule, found.state, found.key) == (wins, rule, "decided", f"{table}.jobtitle:title")
    assert found.run is not None
    assert world.quiet(2)


@TABLES
def test_the_value_that_lost_a_collision_is_in_the_history(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate")

    edit_both(world, table, guid, person, "Captain", "Boss")

    (line,) = world.told(guid, "updated")
    lost = "Captain" if table == "lead" else "Boss"
    assert line.changes[0][1] == lost
    (told,) = world.told(guid, "conflict")
    assert (told.details["d"], told.details["m"]) == ("Captain", "Boss")


@TABLES
@pytest.mark.parametrize(("winner", "value"), [("dynamics", "Captain"), ("marketo", "Boss")])
def test_a_pair_may_name_its_own_winner(table, winner, value):
    world = World()
    world.pair(table, "jobtitle", "title", winner=winner)
    guid, person = world.linked(table, jobtitle="Mate")

    edit_both(world, table, guid, person, "Captain", "Boss")

    assert title(world, table, guid, person) == (value, value)
    assert Conflict.objects.get().rule == "collision_field"
    assert world.quiet()


@TABLES
def test_different_fields_changed_on_both_sides_both_survive(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate", address1_city="Bergen")

    world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.sync()

    assert title(world, table, guid, person) == ("Captain", "Captain")
    assert world.dynamics.get(table, guid)["address1_city"] == "Oslo"
    assert world.marketo.get("person", person)["city"] == "Oslo"
    assert not Conflict.objects.exists()
    assert world.quiet()


def test_a_run_between_two_edits_means_no_collision():
    world = World()
    guid, person = world.linked(jobtitle="Mate")

    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()

    assert title(world, "lead", guid, person) == ("Boss", "Boss")
    assert not Conflict.objects.exists()


# --- ask -------------------------------------------------------------------------------------------------------------


def asked(table="lead"):
    world = World()
    world.pair(table, "jobtitle", "title", winner="ask")
    guid, person = world.linked(table, jobtitle="Mate")
    edit_both(world, table, guid, person, "Captain", "Boss")
    return world, guid, person


def test_ask_holds_the_field_and_asks_once():
    world, guid, person = asked()

    assert title(world, "lead", guid, person) == ("Captain", "Boss")
    assert Conflict.objects.get().state == "open"
    decision = Decision.objects.get()
    assert (decision.kind, decision.choices) == ("ask", ["dynamics", "marketo"])
    assert world.link_of(guid).held["lead.jobtitle:title"]["why"] == "ask"
    assert world.quiet(3)
    assert (Conflict.objects.count(), Decision.objects.count()) == (1, 1)
    assert len(world.told(guid, "held")) == 1


def test_ask_holds_nothing_but_the_field():
    world, guid, person = asked()

    world.dynamics.edit("lead", guid, {"address1_city": "Bergen"})
    world.sync()

    assert world.marketo.get("person", person)["city"] == "Bergen"
    assert title(world, "lead", guid, person) == ("Captain", "Boss")


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize(("choice", "value"), [("dynamics", "Captain"), ("marketo", "Boss")])
def test_an_answer_lets_the_chosen_value_win(table, choice, value):
    world, guid, person = asked(table)

    resolve.answer(Decision.objects.get().pk, choice, "ada", world.clock())
    world.sync()

    assert title(world, table, guid, person) == (value, value)
    assert world.told(guid, "updated")[-1].changes[0][3] == "chosen"
    assert Conflict.objects.get().chosen == choice
    assert "lead.jobtitle:title" not in world.link_of(guid).held
    assert world.quiet(2)


def test_an_answer_holds_only_for_the_values_it_was_given_for():
    world, guid, person = asked()
    world.marketo.edit("person", person, {"title": "Chief"})
    resolve.answer(Decision.objects.get().pk, "dynamics", "ada", world.clock())
    world.sync()

    assert title(world, "lead", guid, person) == ("Captain", "Chief")
    assert Conflict.objects.filter(state="open").get().marketo_value == "Chief"
    assert Decision.objects.filter(answered_at=None).count() == 1


def test_a_question_that_answered_itself_is_withdrawn():
    world, guid, person = asked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()

    assert title(world, "lead", guid, person) == ("Boss", "Boss")
    assert not Decision.objects.filter(answered_at=None).exists()
    assert not Conflict.objects.filter(state="open").exists()
    assert world.quiet()


# --- one way ---------------------------------------------------------------------------------------------------------


def one_way(direction):
    world = World()
    world.pair("lead", "jobtitle", "title", direction=direction)
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Mate"})
    world.sync(2)
    return world, guid, person


def test_on_a_one_way_pair_the_targets_edit_stays_and_is_told_once():
    world, guid, person = one_way("to_marketo")
    before = Activity.objects.filter(kind="held").count()

    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()

    assert title(world, "lead", guid, person) == ("Mate", "Boss")
    assert world.link_of(guid).held["lead.jobtitle:title"] == {"why": "direction", "d": "Mate", "m": "Boss"}
    assert Activity.objects.filter(kind="held").count() == before + 1
    assert world.quiet(2)
    assert Activity.objects.filter(kind="held").count() == before + 1


@pytest.mark.parametrize("direction", ["to_marketo", "to_dynamics"])
def test_the_source_of_a_one_way_pair_replaces_the_target_without_a_collision(direction):
    world, guid, person = one_way(direction)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()
    if direction == "to_marketo":
        world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
        world.sync()

    value, lost = ("Admiral", "Boss") if direction == "to_marketo" else ("Boss", "Captain")
    assert title(world, "lead", guid, person) == (value, value)
    assert world.told(guid, "updated")[-1].changes[0][1:] == [lost, value, "one_way"]
    assert not Conflict.objects.exists()
    assert "lead.jobtitle:title" not in world.link_of(guid).held
    assert world.quiet()


# --- blanks ----------------------------------------------------------------------------------------------------------


@TABLES
def test_an_emptied_value_empties_the_other_side(table):
    world = World()
    guid, person = world.linked(table, jobtitle="Mate", address1_city="Bergen")

    world.dynamics.edit(table, guid, {"jobtitle": None})
    world.marketo.edit("person", person, {"city": None})
    world.sync()

    assert title(world, table, guid, person) == (None, None)
    assert world.dynamics.get(table, guid).get("address1_city") is None
    assert world.told(guid, "updated")[-1].changes[0][2] is None
    assert world.quiet()


@pytest.mark.parametrize("empty_fields", [True, False])
def test_a_field_emptied_in_marketo_empties_dynamics_however_the_account_shows_it(empty_fields):
    world = World()
    world.marketo.set_knobs(empty_fields=empty_fields)
    guid, person = world.linked(jobtitle="Mate")

    world.marketo.edit("person", person, {"title": None})
    world.sync(2)

    assert title(world, "lead", guid, person) == (None, None)


@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_where_only_filled_values_travel_an_emptied_one_stays_alone(side):
    world = World()
    world.pair("lead", "jobtitle", "title", blanks_travel=False)
    guid, person = world.linked(jobtitle="Mate")

    if side == "dynamics":
        world.dynamics.edit("lead", guid, {"jobtitle": None})
    else:
        world.marketo.edit("person", person, {"title": None})
    world.sync()

    assert title(world, "lead", guid, person) == ((None, "Mate") if side == "dynamics" else ("Mate", None))
    assert world.link_of(guid).held["lead.jobtitle:title"]["why"] == "blank"
    assert world.quiet(2)
    assert len(world.told(guid, "held")) == 1


def test_where_only_filled_values_travel_a_blank_loses_the_collision():
    world = World()
    world.pair("lead", "jobtitle", "title", blanks_travel=False)
    guid, person = world.linked(jobtitle="Mate")

    edit_both(world, "lead", guid, person, "Captain", None)

    assert title(world, "lead", guid, person) == ("Captain", "Captain")
    assert (Conflict.objects.get().winner, Conflict.objects.get().rule) == ("dynamics", "blank")


def test_a_kept_blank_is_filled_by_the_next_value():
    world = World()
    world.pair("lead", "jobtitle", "title", blanks_travel=False)
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": None})
    world.sync()

    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    world.sync()

    assert title(world, "lead", guid, person) == ("Admiral", "Admiral")
    assert "lead.jobtitle:title" not in world.link_of(guid).held


# --- echo ------------------------------------------------------------------------------------------------------------


def test_our_own_write_that_comes_back_is_nothing():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.sync()
    lines = Activity.objects.count()

    assert world.quiet(3)
    assert Activity.objects.count() == lines
    assert not PendingWrite.objects.exists()


def test_what_a_plug_in_makes_of_our_value_travels_back():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.configure(rewrites=[{"entity": "lead", "column": "jobtitle", "value": "Boss", "to": "Director"}])
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync(2)

    assert title(world, "lead", guid, person) == ("Director", "Director")
    assert world.quiet()


def test_what_a_campaign_makes_of_our_value_travels_back():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Director"}, by="campaign")
    world.sync()

    assert title(world, "lead", guid, person) == ("Director", "Director")
    assert not Conflict.objects.exists()
    assert world.quiet()


def two_machines(turns):
    world = World()
    guid, person = world.linked(jobtitle="B")
    world.dynamics.configure(rewrites=[{"entity": "lead", "column": "jobtitle", "value": "A", "to": "B"}])
    for _ in range(turns):
        world.marketo.edit("person", person, {"title": "A"}, by="campaign")
        world.sync()
        world.sync()
    return world, guid, person


def test_two_automations_are_stopped_and_both_values_shown():
    world, guid, person = two_machines(5)

    failure = world.failure()
    assert (failure.cause, failure.key) == ("two_automations", "lead.jobtitle:title")
    assert failure.value == {"d": "B", "m": "A"}
    assert world.link_of(guid).held["lead.jobtitle:title"]["why"] == "two_automations"
    assert title(world, "lead", guid, person) == ("B", "A")
    ours = [entry for entry in world.dynamics.truth.of("lead", guid) if entry.who.startswith("api:")]
    assert len(ours) <= 7
    assert world.quiet(3)


def test_two_automations_hold_only_their_field():
    world, guid, person = two_machines(5)

    world.dynamics.edit("lead", guid, {"address1_city": "Bergen"})
    world.sync()

    assert world.marketo.get("person", person)["city"] == "Bergen"


def test_released_two_automations_go_on():
    world, guid, person = two_machines(5)
    world.dynamics.configure(rewrites=[])
    resolve.release([world.failure().pk], "ada", world.clock())
    world.sync(2)

    here, there = title(world, "lead", guid, person)
    assert here == there
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_person_who_edits_often_is_no_automation():
    world = World()
    guid, person = world.linked(jobtitle="0")
    for number in range(1, 10):
        world.dynamics.edit("lead", guid, {"jobtitle": str(number)})
        world.sync()

    assert title(world, "lead", guid, person) == ("9", "9")
    assert not Failure.objects.exists()
