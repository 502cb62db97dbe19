"""Using the other value of a conflict: carried out by the next run, never over a value that changed since."""

from __future__ import annotations

import pytest

from syncadmin.services import use_other_value
from syncadmin.services.use_other_value import OTHER, Effect, TakenBack, Which
from syncadmin.store.models import Activity, AuditEntry, Conflict, Decision
from syncadmin.store.queries.conflicts import ConflictFilter
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "lead.jobtitle:title"


def collided(table="lead", **rules):
    """Both sides changed the title; the rule has decided and been carried out."""
    world = World()
    if rules:
        world.pair(table, "jobtitle", "title", **rules)
    guid, person = world.linked(table, jobtitle="Mate")
    world.settle()
    world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()
    return world, guid, person


def titles(world, guid, person, table="lead"):
    return world.dynamics.get(table, guid)["jobtitle"], world.marketo.get("person", person)["title"]


def all_of_it():
    return Which(wanted=ConflictFilter())


def use(world, how=OTHER, which=None):
    return use_other_value.choose(which or all_of_it(), how, "ada", world.clock())


@pytest.mark.parametrize(("table", "won", "lost"), [("lead", "Boss", "Captain"), ("contact", "Captain", "Boss")])
def test_the_value_that_lost_is_put_back_on_both_sides(table, won, lost):
    world, guid, person = collided(table)
    assert titles(world, guid, person, table) == (won, won)
    use(world)
    world.sync(2)

    assert titles(world, guid, person, table) == (lost, lost)
    assert Conflict.objects.get().state == "applied"
    replaced = [change[1:] for row in world.told(guid, "updated") for change in row.changes if change[3] == "chosen"]
    assert replaced == [[won, lost, "chosen"], [won, lost, "chosen"]]
    assert world.quiet(2)
    assert Conflict.objects.count() == 1


def test_a_choice_that_was_carried_out_binds_nobody_later():
    world, guid, person = collided()
    use(world)
    world.sync(2)
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()

    assert titles(world, guid, person) == ("Boss", "Boss")
    assert Conflict.objects.get().state == "applied"


def test_before_the_rule_was_carried_out_only_the_other_side_is_written():
    world, guid, person = collided()
    Conflict.objects.update(state="decided")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    use(world)
    world.sync(2)

    assert titles(world, guid, person) == ("Captain", "Captain")
    assert world.quiet(2)


@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_a_value_changed_since_is_not_touched_but_told(side):
    world, guid, person = collided()
    use(world)
    if side == "dynamics":
        world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    else:
        world.marketo.edit("person", person, {"title": "Admiral"})
    world.sync(2)

    assert titles(world, guid, person) == ("Admiral", "Admiral")
    assert Conflict.objects.get().state == "passed"
    told = [row.details for row in world.told(guid, "decided")]
    assert [row["answer"] for row in told] == ["dynamics", "passed"]
    assert world.quiet(2)


def test_a_value_changed_just_before_our_write_is_not_touched_either():
    world, guid, person = collided("contact")
    use(world)

    def just_before(name):
        if name == "merge.batch":
            world.border = lambda name: None
            world.marketo.edit("person", person, {"title": "Admiral"})

    world.border = just_before
    world.sync(3)

    assert titles(world, guid, person, "contact") == ("Admiral", "Admiral")
    assert Conflict.objects.order_by("id").first().state == "passed"


def test_taken_back_before_a_run_nothing_happens():
    world, guid, person = collided()
    use(world)
    assert use_other_value.take_back(all_of_it(), "oscar", world.clock()) == TakenBack(1, 0)
    world.settle()

    assert titles(world, guid, person) == ("Boss", "Boss")
    row = Conflict.objects.get()
    assert (row.state, row.chosen, row.decided_by) == ("decided", "", "")
    assert list(AuditEntry.objects.order_by("id").values_list("who", "action"))[-2:] == [
        ("ada", "use value"),
        ("oscar", "take value back"),
    ]
    assert world.quiet()


def test_after_a_run_there_is_nothing_to_take_back():
    world, _, _ = collided()
    use(world)
    world.sync(2)
    assert use_other_value.take_back(all_of_it(), "oscar", world.clock()) == TakenBack(0, 0)
    assert Conflict.objects.get().state == "applied"


@pytest.mark.parametrize(("side", "value"), [("dynamics", "Captain"), ("marketo", "Boss")])
def test_a_field_that_asks_is_settled_from_here_too(side, value):
    world, guid, person = collided(winner="ask")
    assert titles(world, guid, person) == ("Captain", "Boss")
    assert use(world).together == 0, "nobody has won, so there is no other value"
    use(world, side)
    assert not Decision.objects.filter(answered_at=None).exists()
    world.sync(2)

    assert titles(world, guid, person) == (value, value)
    assert Conflict.objects.get().state == "applied"
    assert world.quiet(2)


def test_a_question_taken_back_is_asked_again():
    world, guid, person = collided(winner="ask")
    use(world, "dynamics")
    use_other_value.take_back(all_of_it(), "ada", world.clock())
    world.settle()

    assert titles(world, guid, person) == ("Captain", "Boss")
    assert Conflict.objects.get().state == "open"
    assert Decision.objects.get(answered_at=None).facts["conflict"] == Conflict.objects.get().pk


def test_a_filter_says_how_many_before_and_touches_no_others():
    world, guid, person = collided()
    second, other = world.linked("contact", jobtitle="Mate", address1_city="Bergen")
    world.settle()
    world.dynamics.edit("contact", second, {"jobtitle": "Captain"})
    world.marketo.edit("person", other, {"title": "Boss"})
    world.sync()
    mine = Which(wanted=ConflictFilter(winner="dynamics"))

    assert use_other_value.preview(all_of_it(), OTHER) == Effect(1, 1, 0)
    assert use_other_value.preview(mine, OTHER) == Effect(0, 1, 0)
    assert use_other_value.preview(all_of_it(), "dynamics") == Effect(1, 0, 1)
    assert use(world, OTHER, mine) == Effect(0, 1, 0)
    world.sync(2)

    assert titles(world, guid, person) == ("Boss", "Boss")
    assert titles(world, second, other, "contact") == ("Boss", "Boss")
    assert Activity.objects.filter(kind="decided").count() == 1


def test_a_pair_that_no_longer_goes_that_way_lets_nothing_be_written():
    world, guid, person = collided()
    world.pair("lead", "jobtitle", "title", direction="to_dynamics")
    use(world)
    world.settle()

    assert titles(world, guid, person) == ("Boss", "Boss")
    assert Conflict.objects.get().state == "passed"
