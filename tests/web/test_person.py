from __future__ import annotations

import re

import pytest
from django.test import Client

from syncadmin.store import listing, options
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Connection, Link, Receipt
from syncadmin.store.queries import history
from syncadmin.store.queries.search import State
from tests.web.people import CITY, OWNER, RATING, TITLE, World


def _text(client: Client, address: str) -> str:
    page = client.get(address, follow=True).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_both_values_stand_beside_the_agreed_one_with_labels_of_choices(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    text = _text(vic, f"/people/{link.pk}/")
    assert "Rating leadqualitycode · rating Hot Hot Hot In step." in text
    assert "Job Title jobtitle · title Countess Countess Countess In step." in text


def test_every_reason_a_field_stays_has_its_words(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    Link.objects.filter(pk=link.pk).update(
        held={TITLE: {"why": "ask", "d": 1, "m": 2}, OWNER: {"why": "direction"}, "*dynamics": {"why": "refused"}}
    )
    world.writing(link, fields={CITY: {"sent": "x"}})
    world.failure(link, key=RATING, cause="unknown_option")
    text = _text(vic, f"/people/{link.pk}/")
    assert "Kept here until somebody decides." in text
    assert "Kept here because this field travels the other way only." in text
    assert "Decided; on its way." in text
    assert "Kept here because it failed: Unknown option" in text
    assert "The other side refused this record as it is." in text


def test_a_value_changed_since_is_told(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    agreed = {**link.agreed, TITLE: ["Poet", "Poet", 1], CITY: None}
    Link.objects.filter(pk=link.pk).update(agreed=agreed)
    text = _text(vic, f"/people/{link.pk}/")
    assert "Changed since both last agreed; the next run decides." in text
    assert "Not compared yet; the next run decides." in text


def test_an_open_receipt_is_told(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    Receipt.objects.create(link=link, person=link.marketo, key=TITLE, field="title", at=world.now)
    text = _text(vic, f"/people/{link.pk}/")
    assert "1 value written to Marketo is not confirmed yet" in text
    assert "Written; Marketo has not confirmed it yet." in text


def test_every_kind_of_line_is_a_sentence(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    details = {"key": TITLE, "cause": "too_long", "reason": "direction", "how": "email", "kind": "match"}
    for kind in Kind:
        world.line(link, kind, side="marketo", details=details)
    page = vic.get(f"/people/{link.pk}/").content.decode()
    lines = re.findall(r"<li class=\"[a-z]*\">\s*<p>(.*?)</p>", page)
    assert len(lines) == len(Kind)
    assert len(set(lines)) == len(Kind)
    assert not [line for line in lines if "{" in line or "%(" in line or "_" in line]


def test_a_change_shows_old_and_new_value_and_the_rule(vic: Client, world: World) -> None:
    world.fields()
    link, run = world.linked("Ada Byron"), world.run()
    world.line(link, "updated", side="marketo", changes=[[TITLE, "Poet", "Countess", "one_sided"]], run=run)
    text = _text(vic, f"/people/{link.pk}/")
    assert "Written to Marketo. Job Title : Poet → Countess (only one side had changed)" in text
    assert f"run {run.pk}" in text


def test_the_history_from_before_the_link_belongs_to_it(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    world.line(None, "seen", dynamics=link.dynamics, side="dynamics")
    world.line(None, "requested", marketo=link.marketo, details={"status": "queued"})
    text = _text(vic, f"/people/{link.pk}/")
    assert "First seen in Dynamics" in text
    assert "Marketo asked for this person in Dynamics: queued." in text


def test_the_history_pages_back_to_its_first_line(vic: Client, world: World, part: dict[str, str]) -> None:
    link = world.linked("Ada Byron")
    for number in range(120):
        world.line(link, "updated", side="marketo", changes=[[TITLE, number, number + 1, ""]])
    address, seen = f"/people/{link.pk}/", []
    while address:
        text = vic.get(address, headers=part).content.decode()
        assert text.lstrip().startswith('<section id="history"')
        seen += [int(new) for new in re.findall(r"<ins>(\d+)</ins>", text)]
        older = re.search(r'rel="next" href="([^"#]*)', text)
        address = older[1] if older else ""
    assert seen == list(range(120, 0, -1))


def test_a_record_without_partner_has_a_page_that_leads_to_its_link_later(vic: Client, world: World) -> None:
    record, person = world.in_dynamics("Bo Lind", due="waiting", wait_for="email:x"), world.in_marketo("Bo Lind")
    assert "waits for another record with the same e-mail" in _text(vic, f"/people/dynamics/{record.guid}/")
    assert "Not in Dynamics." in _text(vic, f"/people/marketo/{person.person}/")
    link = Link.objects.create(dynamics=record.guid, marketo=person.person, table="lead", linked_at=world.now)
    for address in (f"/people/dynamics/{record.guid}/", f"/people/marketo/{person.person}/"):
        assert vic.get(address).headers["Location"] == f"/people/{link.pk}/"


def test_the_decision_about_a_record_without_partner_stands_on_its_page(vic: Client, world: World) -> None:
    record = world.in_dynamics("Bo Lind", due="decision", wait_for="several_people")
    world.decision(subject=f"lead:{record.guid}")
    assert "Which of these is the same person?" in _text(vic, f"/people/dynamics/{record.guid}/")


def test_a_record_alone_stands_as_the_list_of_people_has_it(vic: Client, world: World) -> None:
    world.fields()
    gone = world.in_dynamics("Zed Ash", deleted_at=world.now)
    due, asked = world.in_dynamics("Yan Bo", due="pair"), world.in_dynamics("Una Doe", due="decision")
    kept_out = world.in_dynamics("Xu Cy", filtered=True)
    left = world.in_marketo("Wim Dee", deleted_at=world.now)
    listing.catch_up(1_000)
    for address, wanted in (
        *((f"dynamics/{record.guid}", str(record.guid)) for record in (gone, due, asked, kept_out)),
        (f"marketo/{left.person}", str(left.person)),
    ):
        listed, page = vic.get(f"/people/?q={wanted}"), vic.get(f"/people/{address}/")
        assert page.context["person"].states == listed.context["page"].rows[0].states
    assert vic.get(f"/people/dynamics/{gone.guid}/").context["person"].states == (State.DELETED,)


def test_unknown_people_are_not_found(vic: Client) -> None:
    for address in (
        "/people/7/",
        "/people/99999999999999999999/",
        "/people/marketo/7/",
        "/people/marketo/99999999999999999999/",
        "/people/dynamics/00000000-0000-0000-0000-000000000001/",
    ):
        assert vic.get(address).status_code == 404


def test_the_history_is_narrowed_to_a_kind_a_field_or_a_side(vic: Client, world: World, part: dict[str, str]) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    world.line(link, "updated", side="marketo", changes=[[TITLE, "a", "title-in-marketo", ""]])
    world.line(link, "updated", side="dynamics", changes=[[CITY, "a", "city-in-dynamics", ""]])
    world.line(link, "held", details={"key": TITLE, "reason": "direction"})

    def shown(**asked: str) -> list[str]:
        text = vic.get(f"/people/{link.pk}/", asked, headers=part).content.decode()
        return re.findall(r'<span class="kind">([^<]+)</span>', text)

    assert shown() == ["Held", "Written", "Written"]
    assert shown(kind="held") == ["Held"]
    assert shown(field=TITLE) == ["Held", "Written"]
    assert shown(side="dynamics") == ["Written"]
    assert shown(kind="updated", field=CITY, side="marketo") == []
    assert shown(kind="nonsense", field="nonsense", side="nonsense") == ["Held", "Written", "Written"]


def test_a_narrowed_history_that_is_long_is_looked_through_piece_by_piece(
    vic: Client, world: World, part: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "STEPS", 10)
    link = world.linked("Ada Byron")
    world.line(None, "seen", dynamics=link.dynamics, side="dynamics")
    world.line(link, "linked", details={"how": "email"})
    for number in range(25):
        world.line(link, "updated", side="marketo", changes=[[TITLE, number, number + 1, ""]])
    address, seen, pages = f"/people/{link.pk}/?kind=linked", 0, 0
    while address:
        text = vic.get(address, headers=part).content.decode()
        seen += text.count('<span class="kind">')
        older = re.search(r'rel="next" href="([^"#]*)', text)
        address = older[1].replace("&amp;", "&") if older else ""
        pages += 1
    assert (seen, pages) == (1, 3)


def test_a_field_tells_what_was_last_done_to_it(vic: Client, world: World) -> None:
    world.fields()
    link, run = world.linked("Ada Byron"), world.run()
    world.line(link, "updated", side="dynamics", changes=[[TITLE, "a", "b", "one_sided"]])
    world.line(link, "updated", side="marketo", changes=[[TITLE, "b", "Countess", "collision_lead"]], run=run)
    text = _text(vic, f"/people/{link.pk}/")
    assert "written to Marketo: both had changed; for a lead Marketo wins, just now , run" in text
    assert "written to Dynamics" not in text


def test_choices_stand_in_the_history_by_their_labels(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    world.line(link, "updated", side="marketo", changes=[[RATING, "warm", "hot", ""], [TITLE, "warm", "hot", ""]])
    text = _text(vic, f"/people/{link.pk}/")
    assert "Rating : Warm → Hot" in text
    assert "Job Title : warm → hot" in text


def test_a_long_value_folds(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    world.line(link, "updated", side="marketo", changes=[[TITLE, "x" * 160, "y" * 161, ""]])
    page = vic.get(f"/people/{link.pk}/").content.decode()
    assert f"<del>{'x' * 160}</del>" in page
    assert f'<summary>{"y" * 80}…</summary><span class="whole">{"y" * 161}</span>' in page


def test_each_record_is_a_link_to_where_it_lives(vic: Client, world: World) -> None:
    world.connected()
    link = world.linked("Ada Byron")
    page = vic.get(f"/people/{link.pk}/").content.decode()
    assert f"https://example.org/main.aspx?etn=lead&amp;id={link.dynamics}&amp;pagetype=entityrecord" in page
    assert "loadLeadDetail" not in page
    options.write("marketo_pages", "https://app-sj01.marketo.com/")
    page = vic.get(f"/people/{link.pk}/").content.decode()
    assert f'href="https://app-sj01.marketo.com/leadDatabase/loadLeadDetail?leadId={link.marketo}"' in page
    Connection.objects.update(base_url="http://127.0.0.1:8102")
    page = vic.get(f"/people/{link.pk}/").content.decode()
    assert f'href="http://127.0.0.1:8102/person/{link.marketo}"' in page
    assert f"http://127.0.0.1:8102/record?entity=lead&amp;id={link.dynamics}" in page


def test_a_record_that_is_gone_is_no_link(vic: Client, world: World) -> None:
    world.connected()
    link = world.linked("Ada Byron")
    Link.objects.update(dynamics_deleted=True)
    assert "main.aspx" not in vic.get(f"/people/{link.pk}/").content.decode()
