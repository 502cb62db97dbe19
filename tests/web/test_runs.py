from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from syncadmin.store.models import Activity
from syncadmin.store.queries import run_lines
from syncadmin.web.views import runs
from syncadmin.web.words.causes import title
from tests.web.people import CITY, TITLE, World


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def _rows(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")] if "<tbody>" in page else ""
    return [_text(row).strip() for row in body.split("<tr>")[1:]]


def _lines(page: str) -> list[str]:
    timeline = page[page.index('<ol class="timeline">') : page.index("</ol>")] if "timeline" in page else ""
    return [_text(line).strip() for line in timeline.split("<li class=")[1:]]


def test_a_run_tells_counts_by_outcome_calls_and_duration(vic: Client, world: World) -> None:
    counts = {
        "read_dynamics": 1234,
        "read_marketo": 6,
        "create_created": 3,
        "requests_created": 1,
        "dynamics_updated": 5,
        "marketo_updated": 7,
        "conflicts": 2,
    }
    run = world.run(counts=counts, calls={"dynamics changes": 3, "marketo by id": 4}, failures=8)
    (row,) = _rows(vic.get("/runs/").content.decode())
    assert row == f"{run.pk} 1 minute ago 2.0 s 1,240 4 12 2 8 7 with failures"


def test_the_list_shows_only_runs_with_changes_or_with_trouble(vic: Client, world: World) -> None:
    quiet = world.run()
    busy = world.run(counts={"read_dynamics": 1})
    failed = world.run(counts={"read_dynamics": 1}, failures=1)
    stopped = world.run(complaint={"code": "unavailable", "side": "dynamics", "step": "pull lead"})

    def shown(which: str) -> list[int]:
        return [int(row.split()[0]) for row in _rows(vic.get("/runs/", {"show": which}).content.decode())]

    assert shown("") == [stopped.pk, failed.pk, busy.pk, quiet.pk]
    assert shown("busy") == [failed.pk, busy.pk]
    assert shown("troubled") == [stopped.pk, failed.pk]
    assert shown("nonsense") == shown("")
    page = vic.get("/runs/").content.decode()
    assert "Dynamics cannot serve now. It stopped: reading changed leads." in page


def test_the_list_keeps_to_the_days_asked_for(vic: Client, world: World) -> None:
    old, middle, new = (world.run(minutes_ago=days * 1440) for days in (6, 3, 0))
    day = (world.now - timedelta(days=3)).date().isoformat()

    def shown(**asked: str) -> list[int]:
        return [int(row.split()[0]) for row in _rows(vic.get("/runs/", asked).content.decode())]

    assert shown(**{"from": day}) == [new.pk, middle.pk]
    assert shown(to=day) == [middle.pk, old.pk]
    assert shown(**{"from": day, "to": day}) == [middle.pk]
    assert shown(**{"from": "2999-01-01"}) == []
    assert shown(**{"from": "0001-01-01", "to": "9999-99-99"}) == [new.pk, middle.pk, old.pk]


def test_one_run_tells_what_it_left_in_the_histories(vic: Client, world: World) -> None:
    world.fields()
    complaint = {"code": "throttled", "side": "marketo", "step": "pull changes"}
    run = world.run(complaint=complaint, message="606 Max rate limit exceeded")
    link = world.linked("Ada Byron")
    world.line(link, "updated", side="marketo", run=run, changes=[[TITLE, "Countess", "Poet", "one_sided"]])
    world.line(None, "seen", side="dynamics", run=run, dynamics=world.in_dynamics("Bo Lind").guid)
    world.line(link, "updated", side="marketo", run=world.run())
    world.conflict(link, run=run)
    world.failure(link, run=run, key=TITLE)
    page = vic.get(f"/runs/{run.pk}/").content.decode()
    first, second = _lines(page)
    assert "a record in Dynamics" in first
    assert "Ada Byron Written to Marketo. Job Title : Countess → Poet" in second
    for text in ("Marketo asked us to slow down.", "606 Max rate", "Marketo won", title("too_long")):
        assert text in page


def test_the_lines_are_filtered_by_kind_side_and_field(vic: Client, world: World) -> None:
    run, link = world.run(), world.linked("Ada Byron")
    for kind, side, key in (("updated", "marketo", TITLE), ("updated", "dynamics", CITY), ("held", "marketo", "")):
        world.line(link, kind, side=side, run=run, changes=[[key, "a", "b", ""]] if key else [], details={"key": CITY})

    def shown(**asked: str) -> int:
        return len(_lines(vic.get(f"/runs/{run.pk}/", asked).content.decode()))

    assert shown() == 3
    assert shown(kind="updated") == 2
    assert shown(kind="updated", side="dynamics") == 1
    assert shown(field=TITLE) == 1
    assert shown(field=CITY) == 3
    assert "Nothing of the kind in this run." in vic.get(f"/runs/{run.pk}/", {"kind": "erased"}).content.decode()


def test_the_lines_page_and_keep_their_filter(vic: Client, world: World, part: dict[str, str]) -> None:
    run, link = world.run(), world.linked("Ada Byron")
    for _ in range(60):
        world.line(link, "updated", side="marketo", run=run)
        world.line(link, "held", side="marketo", run=run, details={"key": CITY})
    text = vic.get(f"/runs/{run.pk}/", {"kind": "updated"}, headers=part).content.decode()
    assert text.lstrip().startswith('<div id="live"')
    following = re.search(r'rel="next" href="([^"]*)"', text)
    assert following
    assert len(_lines(text)) == 30
    assert len(_lines(vic.get(following[1].replace("&amp;", "&")).content.decode())) == 30


def test_a_field_that_leads_and_contacts_both_have_says_whose_it_is() -> None:
    told = {"lead.city:city": "City", "contact.city:city": "City", "lead.subject:topic": "Topic"}
    assert runs.field_choices(told) == [
        ("contact.city:city", "City · Contact"),
        ("lead.city:city", "City · Lead"),
        ("lead.subject:topic", "Topic"),
    ]


def test_a_rare_line_is_looked_for_a_stretch_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(run_lines, "STEPS", 20)
    run, link = world.run(), world.linked("Ada Byron")
    rare = world.line(link, "failed", run=run)
    Activity.objects.bulk_create(Activity(link=link, at=world.now, kind="updated", run=run) for _ in range(50))
    found, before, pages = [], None, 0
    while True:
        page = run_lines.lines(run.pk, run_lines.Wanted(kind="failed"), before)
        found += [line.line.id for line in page.lines]
        pages, before = pages + 1, page.older
        if before is None:
            break
    assert (found, pages) == ([rare.pk], 3)


def test_a_run_under_way_renews_itself_and_a_finished_one_does_not(
    vic: Client, world: World, part: dict[str, str]
) -> None:
    finished, link = world.run(counts={}), world.linked("Ada Byron")
    open_one = world.run(finished_at=None)
    page = vic.get("/runs/").content.decode()
    assert "nothing had changed" in page
    assert "under way" in page
    assert 'hx-trigger="every' not in vic.get(f"/runs/{finished.pk}/").content.decode()
    text = vic.get(f"/runs/{open_one.pk}/", headers=part).content.decode()
    again = re.search(r'hx-get="([^"]*seen=\w+)"', text)
    assert again
    address = again[1].replace("&amp;", "&")
    assert vic.get(address, headers=part).status_code == 204
    world.line(link, "updated", side="marketo", run=open_one)
    assert vic.get(address, headers=part).status_code == 200


def test_runs_page_from_the_newest_to_the_first(vic: Client, world: World, part: dict[str, str]) -> None:
    for _ in range(51):
        world.run()
    text = vic.get("/runs/", headers=part).content.decode()
    assert text.lstrip().startswith('<section id="rows"')
    following = re.search(r'rel="next" href="([^"]*)"', text)
    assert following
    assert vic.get(following[1]).content.decode().count('<th scope="row">') == 1


def test_a_run_leads_to_the_ones_beside_it(vic: Client, world: World) -> None:
    first, middle, last = (world.run() for _ in range(3))
    page = vic.get(f"/runs/{middle.pk}/").content.decode()
    assert f'rel="prev" href="/runs/{first.pk}/"' in page
    assert f'rel="next" href="/runs/{last.pk}/"' in page


def test_an_unknown_run_is_not_found(vic: Client) -> None:
    assert vic.get("/runs/99/").status_code == 404


def test_a_run_that_is_no_longer_kept_says_so_and_its_lines_still_name_it(vic: Client, world: World) -> None:
    link, old, kept = world.linked(), world.run(), world.run()
    line = world.line(link, "updated", side="marketo", changes=[[TITLE, "a", "b", "one_sided"]], run=old)
    old_number = old.pk
    old.delete()
    line.refresh_from_db()
    assert line.run_id == old_number
    assert f"/runs/{old_number}" in vic.get(f"/people/{link.pk}/").content.decode()

    answer = vic.get(f"/runs/{old_number}/")
    assert (answer.status_code, "is no longer kept" in answer.content.decode()) == (404, True)
    unknown = vic.get(f"/runs/{kept.pk + 1}/")
    assert (unknown.status_code, "There is nothing at this address" in unknown.content.decode()) == (404, True)
