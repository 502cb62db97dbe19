from __future__ import annotations

import re

from django.test import Client

from tests.web.people import World


def test_a_run_tells_counts_calls_and_duration(vic: Client, world: World) -> None:
    run = world.run(counts={"read_dynamics": 1234, "conflicts": 0}, calls={"dynamics changes": 3, "marketo by id": 4})
    page = vic.get("/runs/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert f"{run.pk} 1 minute ago 2.0 s 7 read in Dynamics 1,234" in text
    assert "conflicts 0" not in text


def test_one_run_tells_what_it_left_in_the_histories(vic: Client, world: World) -> None:
    complaint = {"code": "throttled", "side": "marketo", "step": "pull changes"}
    run = world.run(complaint=complaint, message="606 Max rate limit exceeded")
    link = world.linked("Ada Byron")
    for _ in range(3):
        world.line(link, "updated", run=run)
    world.conflict(link, run=run)
    page = vic.get(f"/runs/{run.pk}/").content.decode()
    for text in ("Records updated", "Conflicts: 1", "Marketo asked us to slow down.", "606 Max rate"):
        assert text in page


def test_a_run_under_way_and_one_without_changes_say_so(vic: Client, world: World) -> None:
    world.run(counts={})
    world.run(finished_at=None)
    page = vic.get("/runs/").content.decode()
    assert "nothing had changed" in page
    assert "under way" in page


def test_runs_page_from_the_newest_to_the_first(vic: Client, world: World, part: dict[str, str]) -> None:
    for _ in range(51):
        world.run()
    text = vic.get("/runs/", headers=part).content.decode()
    assert text.lstrip().startswith('<section id="rows"')
    following = re.search(r'rel="next" href="([^"]*)"', text)
    assert following
    assert vic.get(following[1]).content.decode().count('<th scope="row">') == 1


def test_an_unknown_run_is_not_found(vic: Client) -> None:
    assert vic.get("/runs/99/").status_code == 404
