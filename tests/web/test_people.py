from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client

from syncadmin.store.models import Link
from syncadmin.store.queries import found_words, people
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
        ("小明", ["王小明"]),
        ("ÁDA", ["Ada Byron"]),
        ("byron, ada", ["Ada Byron"]),
        ("obri", ["Pat O'Brien"]),
        ("bri", ["Pat O'Brien"]),
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


def test_one_letter_is_not_searched_for(vic: Client, world: World) -> None:
    world.linked("Ada Byron")
    world.linked("Bo Lind")
    text = vic.get("/people/?q=a").content.decode()
    assert "One more letter, and the search begins." in text
    assert _names(vic, q="a") == ["Ada Byron", "Bo Lind"]
    assert _names(vic, q="bo l") == ["Bo Lind"]


def test_the_closest_word_comes_first_and_nobody_twice(vic: Client, world: World) -> None:
    for name in ("Zoe Ann", "Andrea Anders", "Ann Byron", "Bo Lind"):
        world.linked(name)
    assert _names(vic, q="an") == ["Andrea Anders", "Ann Byron", "Zoe Ann"]
    assert _names(vic, q="ann") == ["Ann Byron", "Zoe Ann"]


def test_a_search_within_a_state(vic: Client, world: World) -> None:
    world.failure(world.linked("Ann Byron"))
    world.linked("Ann Other")
    assert _names(vic, q="ann", state="failed") == ["Ann Byron"]
    assert _names(vic, q="ann", state="stopped") == []
    assert _names(vic, q=str(Link.objects.get(name="Ann Other").marketo), state="failed") == []


def test_the_last_activity_orders_too(vic: Client, world: World) -> None:
    for number, name in enumerate(("Cy", "Bo", "Ada")):
        world.linked(name, last_activity_at=world.now - timedelta(hours=number))
    world.in_dynamics("Nothing yet")
    assert _names(vic, sort="recent") == ["Cy", "Bo", "Ada", "Nothing yet"]
    assert _names(vic, sort="recent", state="in_step") == ["Cy", "Bo", "Ada"]
    assert _names(vic, sort="nonsense") == ["Ada", "Bo", "Cy", "Nothing yet"]


@pytest.mark.parametrize("asked", ["", "sort=recent", "q=same", "q=person+same", "state=only_dynamics"])
def test_pages_lead_back_the_way_they_led_on(vic: Client, world: World, asked: str) -> None:
    for number in range(120):
        world.in_dynamics(f"Same Person {number % 5}")
    first = f"/people/?{asked}"
    there = _walked(vic, first, "next")
    assert [len(names) for names in there] == [50, 50, 20]
    last = _following(vic.get(first).content.decode(), "Last page")
    back = _walked(vic, last, "prev")
    assert [name for page in reversed(back) for name in page] == [name for page in there for name in page]


def _walked(client: Client, address: str, direction: str) -> list[list[str]]:
    pages = []
    while address:
        text = client.get(address).content.decode()
        pages.append(re.findall(r'<th scope="row"><a href="([^"]*)">', text))
        found = re.search(rf'rel="{direction}" href="([^"]*)"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    return pages


def _following(text: str, label: str) -> str:
    found = re.search(rf'href="([^"]*)"[^>]*>{label}', text)
    assert found
    return found[1].replace("&amp;", "&")


def test_a_search_that_finds_little_goes_on_page_by_page(
    vic: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, figure in (("STEPS", 20), ("_COUNT_STEPS", 5), ("_RARE", 10)):
        monkeypatch.setattr(found_words, name, figure)
    for number in range(70):
        world.linked(f"Same {number:02}", stopped=number % 35 == 34)
    for number in range(20):
        world.linked(f"Other {number:02}", stopped=True)
    monkeypatch.setattr(people, "PAGE", 15)
    pages = _walked(vic, "/people/?q=same&state=stopped", "next")
    assert sum(map(len, pages)) == 2
    # Seventy names and seventy addresses begin so, and each page looks at twenty of them.
    assert len(pages) == 8
    assert "goes on looking" in vic.get("/people/?q=same&state=stopped").content.decode()


def test_the_list_as_a_file(vic: Client, world: World) -> None:
    world.failure(world.linked("Ada Byron"))
    world.in_dynamics("=Bo Lind")
    answer = vic.get("/people/export.csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [(row[0], row[2], row[5]) for row in rows[1:]] == [
        ("'=Bo Lind", "Lead", "Only in Dynamics"),
        ("Ada Byron", "Lead", "Failed"),
    ]
    few = vic.get("/people/export.csv?q=ada&state=failed")
    assert b"".join(few.streaming_content).count(b"\r\n") == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("asked", ["", "?sort=recent", "?q=same", "?state=only_dynamics"])
def test_a_long_list_is_exported_whole(vic: Client, world: World, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_CHUNK", 7)
    for number in range(30):
        world.in_dynamics(f"Same {number:02}")
    vic.get("/people/")
    answer = vic.get(f"/people/export.csv{asked}")
    assert b"".join(answer.streaming_content).count(b"Same ") == 30  # type: ignore[attr-defined]


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
