from __future__ import annotations

import re

import pytest
from django.test import Client

from syncadmin.store.models import Link
from tests.web.people import World


def _names(client: Client, **asked: str) -> list[str]:
    text = client.get("/people/", asked).content.decode()
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', text)


def test_linked_and_lonely_records_stand_in_one_order_by_name(vic: Client, world: World) -> None:
    world.linked("Cy Ode")
    world.in_dynamics("Bo Lind")
    world.in_marketo("ada byron")
    assert _names(vic) == ["ada byron", "Bo Lind", "Cy Ode"]


def test_a_record_with_a_partner_is_listed_once(vic: Client, world: World) -> None:
    world.linked("Ada Byron")
    assert _names(vic) == ["Ada Byron"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("byr", ["Ada Byron"]),
        ("ADA", ["Ada Byron"]),
        ("ada by", ["Ada Byron"]),
        ("yron", []),
        ("ada@exam", ["Ada Byron"]),
        ("ada@other", []),
        ("王", ["王小明"]),
        ("o'br", ["Pat O'Brien"]),
        ("100%", []),
        ("ada & | ! :*", ["Ada Byron"]),
        ("'; --", []),
        ("%", []),
    ],
)
def test_search_takes_the_beginning_of_a_word_or_an_address(
    vic: Client, world: World, typed: str, found: list[str]
) -> None:
    for name in ("Ada Byron", "王小明", "Pat O'Brien"):
        world.linked(name)
    answer = vic.get("/people/", {"q": typed})
    assert answer.status_code == 200
    names = re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', answer.content.decode().replace("&#x27;", "'"))
    assert names == found


def test_search_by_either_id_finds_the_one_person(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    world.linked("Bo Lind")
    lonely = world.in_dynamics("Cy Ode")
    assert _names(vic, q=str(link.dynamics)) == ["Ada Byron"]
    assert _names(vic, q=str(link.marketo)) == ["Ada Byron"]
    assert _names(vic, q=f"{{{lonely.guid}}}".upper()) == ["Cy Ode"]
    assert _names(vic, q="999999") == []


def test_every_state_finds_its_people(vic: Client, world: World) -> None:
    calm, dirty, failed, torn, asked, stopped, gone = (
        world.linked(name) for name in ("Calm", "Dirty", "Failed", "Torn", "Asked", "Stopped", "Gone")
    )
    Link.objects.filter(pk=dirty.pk).update(dirty=True)
    Link.objects.filter(pk=stopped.pk).update(stopped=True)
    Link.objects.filter(pk=gone.pk).update(marketo_deleted=True)
    world.failure(failed)
    world.conflict(torn, state="open", winner="")
    world.conflict(calm)
    world.decision(link=asked)
    world.in_dynamics("Here")
    world.in_marketo("There")
    found = {
        state: _names(vic, state=state)
        for state in (
            "in_step",
            "waiting",
            "failed",
            "conflict",
            "decision",
            "stopped",
            "deleted",
            "only_dynamics",
            "only_marketo",
        )
    }
    assert found == {
        "in_step": ["Calm"],
        "waiting": ["Dirty"],
        "failed": ["Failed"],
        "conflict": ["Torn"],
        "decision": ["Asked"],
        "stopped": ["Stopped"],
        "deleted": ["Gone"],
        "only_dynamics": ["Here"],
        "only_marketo": ["There"],
    }


def test_a_failure_of_a_record_without_partner_is_found(vic: Client, world: World) -> None:
    record = world.in_dynamics("Here")
    world.failure(subject=f"dynamics:{record.guid}")
    person = world.in_marketo("There")
    world.failure(subject=f"marketo:{person.person}")
    assert _names(vic, state="failed") == ["Here", "There"]


def test_a_record_that_the_filter_keeps_out_is_found_by_its_id_only(vic: Client, world: World) -> None:
    record = world.in_dynamics("", filtered=True)
    assert _names(vic) == []
    assert _names(vic, q=str(record.guid)) == ["No name"]


def test_pages_follow_each_other_without_gap_or_repeat(vic: Client, world: World) -> None:
    for number in range(60):
        world.in_dynamics(f"Same {number % 3}")
        world.in_marketo(f"Same {number % 3}")
    seen: list[str] = []
    address = "/people/?q=same"
    pages = 0
    while address:
        text = vic.get(address).content.decode()
        seen += re.findall(r'<th scope="row"><a href="([^"]*)">', text)
        following = re.search(r'rel="next" href="([^"]*)"', text)
        address = following[1].replace("&amp;", "&") if following else ""
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 120


def test_a_mangled_place_in_the_address_means_the_first_page(vic: Client, world: World) -> None:
    world.linked("Ada Byron")
    for word in ("x", "%%%", "W10", "WyJhIiwgMSwgInoiXQ", "WyJhXHUwMDAwIiwgMCwgMV0"):
        assert _names(vic, after=word) == ["Ada Byron"]


def test_the_part_is_the_results_only(vic: Client, world: World, part: dict[str, str]) -> None:
    world.linked("Ada Byron")
    text = vic.get("/people/", {"q": "ada"}, headers=part).content.decode()
    assert text.lstrip().startswith('<section id="results"')
    assert "Ada Byron" in text


def test_an_empty_list_says_why(vic: Client) -> None:
    assert "Nobody here yet." in vic.get("/people/").content.decode()
    assert "Nobody fits." in vic.get("/people/?q=zz").content.decode()


def test_names_are_escaped(vic: Client, world: World) -> None:
    world.linked("<script>alert(1)</script>")
    assert "<script>alert" not in vic.get("/people/").content.decode()
