from __future__ import annotations

import re

from django.test import Client

from tests.web.people import World


def test_all_three_values_the_winner_and_the_rule_are_told(vic: Client, world: World) -> None:
    world.fields()
    world.conflict(world.linked("Ada Byron"))
    page = vic.get("/conflicts/").content.decode()
    for text in ("Ada Byron", "Job Title", "Countess", "Programmer", "Poet", "Marketo won", "for a lead Marketo wins"):
        assert text in page
    assert '<td class="won">Poet</td>' in page


def test_they_are_filtered_by_outcome_and_person(vic: Client, world: World) -> None:
    one, other = world.linked("Ada Byron"), world.linked("Bo Lind")
    world.conflict(one)
    world.conflict(other, state="open", winner="")
    page = vic.get("/conflicts/?state=open").content.decode()
    assert "Bo Lind" in page
    assert "Ada Byron" not in page
    page = vic.get(f"/conflicts/?person={one.pk}").content.decode()
    assert "Ada Byron" in page
    assert "Bo Lind" not in page
    assert "Bo Lind" in vic.get("/conflicts/?state=nonsense&person=x").content.decode()


def test_the_part_pages_on_and_keeps_the_filter(vic: Client, world: World, part: dict[str, str]) -> None:
    link = world.linked("Ada Byron")
    for _ in range(51):
        world.conflict(link)
    text = vic.get("/conflicts/?state=decided", headers=part).content.decode()
    assert text.lstrip().startswith('<section id="rows"')
    following = re.search(r'rel="next" href="([^"]*)"', text)
    assert following
    assert "state=decided" in following[1]
    rest = vic.get(following[1].replace("&amp;", "&")).content.decode()
    assert rest.count('<th scope="row">') == 1


def test_none_says_what_will_be_here(vic: Client) -> None:
    assert "keeps all three values, who won and why" in vic.get("/conflicts/").content.decode()
