"""The page of conflicts: what it tells, how it is narrowed, and using the other value."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from syncadmin.store import fieldsets, options
from syncadmin.store.models import AuditEntry, Conflict, Link
from syncadmin.web.words.differences import pieces
from tests.web.people import CITY, TITLE, World


def _page(client: Client, address: str = "/conflicts/") -> str:
    return client.get(address).content.decode()


def _list(client: Client, query: str) -> str:
    return client.get(f"/conflicts/?{query}", headers={"HX-Request": "true"}).content.decode()


def test_all_three_values_the_winner_and_the_rule_are_told(vic: Client, world: World) -> None:
    world.fields()
    row = world.conflict(world.linked("Ada Byron"))
    for address in ("/conflicts/", f"/conflicts/{row.pk}/"):
        page = _page(vic, address)
        for text in ("Ada Byron", "Job Title", "Countess", "Programmer", "Poet", "for a lead Marketo wins"):
            assert text in page
    assert vic.get("/conflicts/999999/").status_code == 404


def test_the_difference_is_marked_for_eyes_and_ears(vic: Client, world: World) -> None:
    world.fields()
    row = world.conflict(world.linked(), dynamics_value="Vice President", marketo_value="Vice president")
    page = _page(vic, f"/conflicts/{row.pk}/")
    assert 'Vice <del><span class="unseen"> only in Dynamics: </span>P</del>resident' in page
    assert 'Vice <ins><span class="unseen"> only in Marketo: </span>p</ins>resident' in page


def test_long_values_are_shown_where_they_differ(vic: Client, world: World) -> None:
    world.fields()
    same, end = "word " * 400, " and more" * 400
    row = world.conflict(world.linked(), dynamics_value=f"{same}London{end}", marketo_value=f"{same}Paris{end}")
    page = _page(vic, f"/conflicts/{row.pk}/")
    assert re.search(r"word <del><span[^>]*> only in Dynamics: </span>London</del> and more", page)
    assert re.search(r"word <ins><span[^>]*> only in Marketo: </span>Paris</ins> and more", page)
    facts = {"key": CITY, "agreed": ["", ""], "dynamics": f"{same}London{end}", "marketo": f"{same}Paris{end}"}
    asked = world.decision("ask", facts=facts, choices=["dynamics", "marketo"])
    page = _page(vic, f"/decisions/{asked.pk}/")
    assert "word London and more" in page and "word Paris and more" in page


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b", "a c"),
        ("", "x"),
        ("x", ""),
        ("Ada", "Ada"),
        ("word " * 30, "word " * 29 + "other "),
        ("王小明", "王大明"),
    ],
)
def test_pieces_joined_again_are_the_texts(one: str, other: str) -> None:
    left, right = pieces(one, other)
    assert ("".join(p.text for p in left), "".join(p.text for p in right)) == (one, other)
    assert "".join(p.text for p in left if not p.alone) == "".join(p.text for p in right if not p.alone)


def test_they_are_narrowed_by_everything_the_form_offers(vic: Client, world: World) -> None:
    one, other = world.linked("Ada Byron"), world.linked("Bo Lind")
    world.conflict(one, at=world.now - timedelta(days=3))
    world.conflict(other, key=CITY, state="open", winner="", rule="collision_field")
    today = world.now.date()
    for query in (
        "state=open",
        f"key={CITY}",
        "rule=collision_field",
        f"person={other.pk}",
        f"since={today}",
    ):
        page = _list(vic, query)
        assert "Bo Lind" in page, query
        assert "Ada Byron" not in page, query
    for query in ("winner=marketo", "state=decided", f"until={today - timedelta(days=2)}"):
        page = _list(vic, query)
        assert "Ada Byron" in page, query
        assert "Bo Lind" not in page, query
    assert "Bo Lind" in _list(vic, "state=nonsense&person=x&since=never&after=zzz&sort=up")
    assert "No conflict fits" in _list(vic, "key=nothing")


def test_a_day_is_the_viewers_day(vic: Client, world: World) -> None:
    world.conflict(world.linked("Ada Byron"), at=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    vic.cookies["zone"] = "Asia/Tokyo"
    assert "Ada Byron" in _list(vic, "since=2026-03-02&until=2026-03-02")
    assert "No conflict fits" in _list(vic, "since=2026-03-01&until=2026-03-01")
    vic.cookies["zone"] = "America/New_York"
    assert "Ada Byron" in _list(vic, "since=2026-03-01&until=2026-03-01")


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_pages_follow_each_other_without_gap_or_repetition(vic: Client, world: World, sort: str) -> None:
    link = world.linked("Ada Byron")
    for number in range(120):
        world.conflict(link, at=world.now - timedelta(seconds=number // 7))
    seen: list[int] = []
    address = f"/conflicts/?state=decided&sort={sort}"
    while address:
        text = vic.get(address, headers={"HX-Request": "true"}).content.decode()
        assert text.lstrip().startswith('<section id="rows"')
        seen += [int(found) for found in re.findall(r'href="/conflicts/(\d+)/"', text)]
        following = re.search(r'rel="next" href="([^"]*)"', text)
        address = following[1].replace("&amp;", "&") if following else ""
        assert not address or "state=decided" in address
    order = ("-at", "-id") if sort == "newest" else ("at", "id")
    assert seen == list(Conflict.objects.order_by(*order).values_list("pk", flat=True))


def test_none_says_what_will_be_here(vic: Client) -> None:
    assert "keeps all three values, who won and why" in _page(vic)


def test_the_export_has_all_that_fit_and_runs_no_formula(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    for _ in range(60):
        world.conflict(link, dynamics_value="=HYPERLINK(1)")
    world.conflict(link, key=CITY)
    answer = vic.get(f"/conflicts/?key={TITLE}&format=csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 61
    assert rows[1][2:4] == ["Ada Byron", "Job Title"]
    assert rows[1][6] == "'=HYPERLINK(1)"


def _post(client: Client, **given: object) -> str:
    return client.post("/conflicts/use/", given, follow=True).content.decode()


def test_many_are_asked_about_first_with_the_numbers(oscar: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    ids = [world.conflict(link, winner=winner).pk for winner in ("marketo", "marketo", "dynamics")]
    world.conflict(link, state="open", winner="", key=CITY)
    page = _post(oscar, act="other", which="all")
    for text in ("Use another value in 3 conflicts?", "2 with Dynamics", "1 with Marketo", "1 is left as it is"):
        assert text in page
    assert not Conflict.objects.filter(state="chosen").exists()
    page = _post(oscar, act="other", which="chosen", chosen=ids[:1])
    assert "Use another value in 1 conflict?" in page
    page = _post(oscar, act="other", which="all", sure="1", winner="marketo")
    assert "2 conflicts get the other value with the next run" in page
    assert list(Conflict.objects.filter(state="chosen").values_list("chosen", flat=True)) == ["dynamics", "dynamics"]
    link.refresh_from_db()
    assert link.dirty
    assert AuditEntry.objects.filter(action="use value", who="oscar").count() == 1
    assert "2 choices are taken back" in _post(oscar, act="back", which="all", sure="1")
    assert not Conflict.objects.filter(state="chosen").exists()


def test_one_is_used_and_taken_back_on_its_own_page(oscar: Client, world: World) -> None:
    world.fields()
    row = world.conflict(world.linked("Ada Byron"))
    address = f"/conflicts/{row.pk}/"
    assert "Use the other value (Dynamics)" in _page(oscar, address)
    page = _post(oscar, act="other", which="chosen", chosen=row.pk, sure="1", back=address)
    assert "Take the choice back" in page
    assert "Use the other value (Dynamics)" in _post(oscar, act="back", chosen=row.pk, sure="1", back=address)


def test_what_a_run_has_carried_out_is_not_said_to_be_changed(oscar: Client, world: World) -> None:
    conflict = world.conflict(world.linked("Ada Byron"), state="applied", chosen="dynamics", decided_by="ada")
    page = _post(oscar, act="back", chosen=conflict.pk, sure="1")
    assert "a run has carried it out already" in page
    assert "0 choices" not in page
    page = _post(oscar, act="other", chosen=conflict.pk, sure="1")
    assert "Nothing was changed: somebody, or a run, was faster." in page
    assert "with the next run" not in page


def test_nothing_chosen_changes_nothing(oscar: Client, world: World) -> None:
    world.conflict(world.linked())
    assert "No conflict was chosen" in _post(oscar, act="other", which="chosen", sure="1")
    assert oscar.post("/conflicts/use/", {"act": "nonsense"}).status_code == 404
    assert not Conflict.objects.exclude(state="decided").exists()


def test_a_viewer_sees_no_buttons_and_may_press_none(vic: Client, world: World) -> None:
    row = world.conflict(world.linked())
    assert "Use the other value" not in _page(vic)
    assert "An operator can use the other value" in _page(vic, f"/conflicts/{row.pk}/")
    assert vic.post("/conflicts/use/", {"act": "other", "which": "all", "sure": "1"}).status_code == 403


def test_an_administrator_makes_it_the_rule_of_the_field(ada: Client, world: World) -> None:
    world.fields()
    row = world.conflict(world.linked("Ada Byron"))
    page = _page(ada, f"/conflicts/{row.pk}/rule/")
    assert "by the rule for leads: Marketo wins" in page
    page = ada.post(f"/conflicts/{row.pk}/rule/", {"winner": "dynamics"}, follow=True).content.decode()
    assert "this is the rule of the field" in page
    pairs = {pair.key: pair.winner for pair in fieldsets.pairs(options.read().field_version)}
    assert pairs[TITLE] == "dynamics"
    assert pairs[CITY] == "ask"
    audit = AuditEntry.objects.get(action="field rule")
    assert (audit.who, audit.subject, audit.before, audit.after) == (
        "ada",
        TITLE,
        {"winner": "table"},
        {"winner": "dynamics"},
    )


def test_others_see_who_can_change_the_rule(oscar: Client, ada: Client, world: World) -> None:
    world.fields()
    row = world.conflict(world.linked("Ada Byron"))
    assert "An administrator can change this: ada." in _page(oscar, f"/conflicts/{row.pk}/rule/")
    assert oscar.post(f"/conflicts/{row.pk}/rule/", {"winner": "dynamics"}).status_code == 403
    assert Link.objects.count() == 1
