"""What to sync: offered from both systems, counted, saved all or none; and the settings' own pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from syncadmin.services import connect, scope, setup
from syncadmin.store import options
from syncadmin.store.models import AuditEntry
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/setup/scope/"
ANSWERS = {
    "leads": "on",
    "contacts": "on",
    "filter_column": "new_synctomkto",
    "list_id": "1207",
    "time_zone": "Europe/Vienna",
    "several": "contact_first",
    "first_contact": "blanks",
    "partition": "",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    cache.clear()
    made = World()
    monkeypatch.setattr(connect, "real_world", lambda: made.outside)
    options.write("started", False)
    return made


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def numbers(answer: Any) -> list[str]:
    return [each.strip() for each in re.findall(r'<td class="number">(.*?)</td>', answer.content.decode(), re.DOTALL)]


def test_the_answers_are_saved_with_who_gave_them(ada: Client, world: World) -> None:
    assert ada.get("/setup/").headers["Location"] == PAGE
    answer = ada.post(PAGE, ANSWERS)
    now = options.read()
    assert answer.status_code == 302
    assert (now.time_zone, now.list_id, now.several, now.first_contact) == (
        "Europe/Vienna",
        "1207",
        "contact_first",
        "blanks",
    )
    assert now.scope_chosen
    who = set(AuditEntry.objects.filter(action__in=["setting", "scope"]).values_list("who", flat=True))
    assert who == {"ada"}
    assert ada.get("/setup/").headers["Location"] != PAGE


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"leads": "", "contacts": ""}, "Choose leads, contacts or both"),
        ({"time_zone": "Mars/Olympus"}, "time_zone is a name like Europe/Vienna"),
        ({"several": "guess"}, "Nothing was saved"),
        ({"filter_column": "new_nosuch"}, "Nothing was saved"),
        ({"list_id": "12; drop"}, "A list is named by its number"),
        ({"partition": "Atlantis"}, "Nothing was saved"),
    ],
)
def test_a_wrong_answer_saves_nothing(ada: Client, world: World, wrong: dict[str, str], says: str) -> None:
    before = options.read()
    answer = ada.post(PAGE, {name: value for name, value in {**ANSWERS, **wrong}.items() if value})
    assert says in text(answer)
    assert options.read() == before


def test_each_choice_of_the_filter_is_counted(ada: Client, world: World, part: dict[str, str]) -> None:
    for value in (True, True, False, None):
        world.dynamics.create("lead", {"lastname": "Vik", "new_synctomkto": value})
    world.dynamics.create("contact", {"lastname": "Vik", "new_synctomkto": False})
    answer = ada.get(PAGE, {"filter_column": "new_synctomkto"}, headers=part)
    assert numbers(answer) == ["4", "2", "1", "1", "1", "0", "0", "1"]
    # Without script a button counts.
    assert numbers(ada.get(PAGE, {"count": "1"})) == numbers(answer)
    assert numbers(ada.get(PAGE, {"filter_column": ""}, headers=part)) == ["4", "–", "–", "–", "1", "–", "–", "–"]


def test_more_than_five_thousand_are_told_so(ada: Client, world: World, part: dict[str, str]) -> None:
    world.dynamics.load("lead", [{"lastname": f"Vik {number}"} for number in range(5_001)])
    world.dynamics.load("lead", [{"lastname": "Berg", "new_synctomkto": False} for _ in range(3)])
    answer = ada.get(PAGE, {"filter_column": "new_synctomkto"}, headers=part)
    assert numbers(answer)[:4] == ["over 5,000 of about 5,004", "the rest", "over 5,000", "3"]


def test_lists_are_searched_and_the_chosen_one_stays(ada: Client, world: World, part: dict[str, str]) -> None:
    other = world.marketo.add_list("Spring webinar")
    assert "Spring webinar" in text(ada.get(PAGE))
    cache.clear()
    answer = ada.get(PAGE, {"list": "spring", "list_id": "1207"}, headers=part)
    found = re.findall(r'name="list_id" value="(\d*)"', answer.content.decode())
    assert found[:2] == ["", "1207"]
    assert str(other) in found
    assert "1209" not in found
    assert re.search(r'value="1207"[^>]*checked', answer.content.decode())
    assert "No list has this in its name" in text(ada.get(PAGE, {"list": "nonsense"}, headers=part))


def test_a_system_that_does_not_answer_is_told(ada: Client, world: World, part: dict[str, str]) -> None:
    world.marketo.faults.add({"kind": "html", "path": "*lists*", "times": -1})
    world.dynamics.faults.add({"kind": "html", "path": "*leads*", "times": -1})
    assert "lists could not be read" in text(ada.get(PAGE))
    assert "Not counted" in text(ada.get(PAGE, {"filter_column": ""}, headers=part))


def test_filter_columns_are_those_that_can_say_no(world: World) -> None:
    offered = {column.name: column.tables for column in scope.filter_columns()}
    assert offered["new_synctomkto"] == ("lead", "contact")
    assert "donotemail" in offered
    assert "lastname" not in offered
    assert scope.filter_columns()[0].name == "new_synctomkto"


def test_only_administrators_choose(vic: Client, oscar: Client, world: World) -> None:
    for client in (vic, oscar):
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, ANSWERS).status_code == 403
    assert not options.read().scope_chosen


# --- the settings ------------------------------------------------------------------------------------------------------

SYNC = "/settings/sync/"


def sent(client: Client, address: str, **given: Any) -> dict[str, Any]:
    """What a browser sends that was shown this page, with some answers given."""
    form = client.get(address).context["form"]
    answers = {name: form[name].value() for name in form.fields}
    shown = {f"initial-{name}": "" if value is None else str(value) for name, value in answers.items()}
    answers = {**answers, **given}
    ticked = {name: "on" if value is True else value for name, value in answers.items()}
    return {**shown, **{name: value for name, value in ticked.items() if value is not False and value is not None}}


def test_of_two_who_change_settings_at_once_neither_takes_the_others_back(ada: Client, world: World) -> None:
    options.write("started", True)
    mine = sent(ada, SYNC, wait=30)
    for name, value in (("observe_only", True), ("marketo_share", 0.25), ("marketo_since", "2020-02-02")):
        setup.change(name, value, who="bob", now=world.clock())
    answer = ada.post(SYNC, mine)
    assert answer.status_code == 302, answer.context["form"].errors
    now = options.read()
    assert (now.wait, now.observe_only, now.marketo_share, now.marketo_since) == (30, True, 0.25, "2020-02-02")
    mine = sent(ada, PAGE, several="each")
    for name, value in (("observe_only", False), ("leads", False), ("list_id", "1207"), ("time_zone", "Asia/Taipei")):
        setup.change(name, value, who="bob", now=world.clock())
    assert ada.post(PAGE, mine).status_code == 302
    now = options.read()
    assert (now.several, now.observe_only, now.leads, now.list_id, now.time_zone) == (
        "each",
        False,
        False,
        "1207",
        "Asia/Taipei",
    )
    assert ada.post(SYNC, sent(ada, SYNC, observe_only=True)).status_code == 302
    assert options.read().observe_only
    assert ada.post(SYNC, sent(ada, SYNC, observe_only=False)).status_code == 302
    assert not options.read().observe_only


def test_the_first_answers_are_saved_also_where_they_were_only_proposed(ada: Client, world: World) -> None:
    ada.cookies["browser_zone"] = "Asia/Taipei"
    assert ada.post(PAGE, sent(ada, PAGE)).status_code == 302
    assert options.read().time_zone == "Asia/Taipei"


def test_a_setting_below_its_least_is_told_at_its_own_field(ada: Client, world: World) -> None:
    answer = ada.post(SYNC, sent(ada, SYNC, wait=3))
    assert answer.context["form"].errors["wait"] == ["Ensure this value is greater than or equal to 5."]
    assert options.read().wait != 3


def as_shown(client: Client) -> dict[str, Any]:
    form = client.get(SYNC).context["form"]
    return {name: value for name in form.fields if (value := form[name].value()) is not False}


def test_settings_are_changed_in_plain_words_and_audited(ada: Client, world: World) -> None:
    typed = {**as_shown(ada), "wait": "60", "marketo_share": "50"}
    answer = ada.post(SYNC, typed, follow=True)
    assert (options.read().wait, options.read().marketo_share) == (60, 0.5)
    assert "marketo_share" in text(answer)
    changed = AuditEntry.objects.filter(who="ada", action="setting").values_list("subject", flat=True)
    assert sorted(changed) == ["marketo_share", "wait"]


@pytest.mark.parametrize("wrong", [{"wait": "1"}, {"marketo_share": "0"}, {"marketo_since": "soon"}, {"wait": "x"}])
def test_a_wrong_setting_changes_none(ada: Client, world: World, wrong: dict[str, str]) -> None:
    before = options.read()
    answer = ada.post(SYNC, {**as_shown(ada), "marketo_quota": "70000", **wrong})
    assert "Nothing was saved" in text(answer)
    assert options.read() == before


def test_the_settings_lead_to_each_other(ada: Client, vic: Client, world: World) -> None:
    page = ada.get("/settings/").content.decode()
    for address in ("/settings/connections/", SYNC, PAGE):
        assert f'href="{address}"' in page
        assert ada.get(address).status_code == 200
    assert vic.get("/settings/").status_code == 403
