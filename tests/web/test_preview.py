"""The preview and the start on the screen: what they say, who may see them, with and without script."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.services import setup
from syncadmin.store import options, planned, planned_counts
from syncadmin.store.models import AuditEntry, Checkpoint, PendingWrite
from tests.services.rehearsal import Rehearsal, people
from tests.web.test_browser import CHROMIUM, _enter, _troubles, browser

__all__ = ["browser"]

pytestmark = pytest.mark.django_db(transaction=True)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture
def rehearsal(transactional_db: None) -> Rehearsal:
    world = Rehearsal()
    options.write("scope_chosen", True)
    people(world)
    return world


def numbers(text: str) -> dict[str, str]:
    """The figures of the page, by their words."""
    return {words.strip(): figure for figure, words in re.findall(r"<b>([\d,]+)</b>\s*([^<]+)", text)}


def test_nothing_is_worked_out_before_somebody_asks(rehearsal: Rehearsal, ada: Client) -> None:
    text = ada.get(reverse("setup-preview")).content.decode()

    assert "No preview has been made yet" in text
    assert planned.plan() is None


def test_a_preview_is_asked_for_worked_out_and_shown(rehearsal: Rehearsal, ada: Client) -> None:
    assert ada.post(reverse("setup-preview")).status_code == 302
    assert 'hx-trigger="every 2s"' in ada.get(reverse("setup-preview")).content.decode()

    for _ in range(4):
        rehearsal.sync()
    text = ada.get(reverse("setup-preview")).content.decode()

    assert 'hx-trigger="every 2s"' not in text
    assert numbers(text)["people to be created in Marketo"] == "1"
    assert numbers(text)["ambiguous: somebody has to decide"] == "2"
    assert "Value too long" in text


def test_a_part_is_answered_alone(rehearsal: Rehearsal, ada: Client, part: dict[str, str]) -> None:
    rehearsal.preview()
    text = ada.get(reverse("setup-preview"), headers=part).content.decode()
    assert text.lstrip().startswith('<div id="live"')


def test_values_are_listed_before_and_after(rehearsal: Rehearsal, ada: Client) -> None:
    rehearsal.preview()
    address = reverse("setup-preview-changes")

    text = ada.get(address, {"q": "vik@", "kind": "replaced"}).content.decode()
    assert re.search(r"<del>Boss</del>.*<ins class=\"won\">Head</ins>", text)
    assert "Oslo" not in text
    assert "Oslo" in ada.get(address, {"q": "Vik", "side": "dynamics"}).content.decode()
    assert "No planned value fits" in ada.get(address, {"q": "nobody%"}).content.decode()


def test_a_long_list_is_paged_by_key(rehearsal: Rehearsal, ada: Client) -> None:
    for number in range(20):
        rehearsal.dynamics.create("lead", {"lastname": f"L{number:02}", "emailaddress1": f"l{number}@x.example"})
    rehearsal.preview()
    address, seen = reverse("setup-preview-changes") + "?kind=new", 0
    while address:
        text = ada.get(address).content.decode()
        seen += text.count('class="won"')
        found = re.search(r'rel="next" href="([^"]+)"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    new = PendingWrite.objects.filter(state="planned", op="create").values_list("fields", flat=True)
    assert seen == sum(sum(".@" not in key for key in fields) for fields in new) > 50


def test_failures_and_questions_are_listed(rehearsal: Rehearsal, ada: Client) -> None:
    rehearsal.preview()
    assert "Moe" in ada.get(reverse("setup-preview-failures", args=["too_long"])).content.decode()
    assert ada.get(reverse("setup-preview-failures", args=["nonsense"])).status_code == 404
    assert "two@fjord.example" in ada.get(reverse("setup-preview-unclear")).content.decode()


def test_a_changed_rule_asks_for_another_preview(rehearsal: Rehearsal, ada: Client) -> None:
    rehearsal.preview()
    setup.change("first_contact", "dynamics", who="ada", now=rehearsal.clock())

    assert "Preview again" in ada.get(reverse("setup-preview")).content.decode()
    text = ada.get(reverse("setup-start")).content.decode()
    assert f'action="{reverse("setup-start")}"' not in text
    assert ada.post(reverse("setup-start")).headers["Location"] == reverse("setup-preview")
    assert not options.read().started


def test_a_start_shows_numbers_then_progress(rehearsal: Rehearsal, ada: Client) -> None:
    rehearsal.preview()
    page = ada.get(reverse("setup-start")).content.decode()
    assert "1 person is created in Marketo" in page
    shown = {"shown": page.partition('name="shown" value="')[2].partition('"')[0]}

    assert ada.post(reverse("setup-start")).headers["Location"] == reverse("setup-preview")
    assert not options.read().started
    for _twice in range(2):
        assert ada.post(reverse("setup-start"), shown).headers["Location"] == reverse("setup-start")
    assert "what was planned is being written" in ada.get(reverse("setup-start")).content.decode()
    rehearsal.sync(2)
    assert "Everything that was planned has been carried out" in ada.get(reverse("setup-start")).content.decode()
    assert AuditEntry.objects.filter(action="start", who="ada").count() == 1


def test_before_all_is_read_the_start_tells_what_is_known(rehearsal: Rehearsal, ada: Client) -> None:
    ada.post(reverse("setup-preview"))
    asked = ada.get(reverse("setup-start")).content.decode()
    assert "Leads of Dynamics: 0 read" in asked
    planned_counts.put_total("lead", 4_000)
    Checkpoint.objects.create(name="dynamics.lead.full", position={"state": "pages", "rows": 1_200})
    text = ada.get(reverse("setup-start")).content.decode()

    assert "Leads of Dynamics: 1,200 of about 4,000 read" in text
    assert "The preview is still being worked out" in text
    assert not re.search(r"\b0 (people|person|records?|values?) ", text)
    shown = {"shown": text.partition('name="shown" value="')[2].partition('"')[0]}
    ada.post(reverse("setup-start"), shown)
    going = ada.get(reverse("setup-start")).content.decode()
    assert "1,200 of about 4,000 read" in going
    assert 'hx-trigger="every 2s"' in going


def test_only_administrators_see_and_start(rehearsal: Rehearsal, oscar: Client) -> None:
    for name in ("setup-preview", "setup-preview-changes", "setup-preview-unclear", "setup-start"):
        assert oscar.get(reverse(name)).status_code == 403
    assert oscar.post(reverse("setup-preview")).status_code == 403
    assert oscar.post(reverse("setup-start")).status_code == 403
    assert planned.plan() is None and not options.read().started


@in_browser
@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_way_through_preview_and_start(
    rehearsal: Rehearsal, browser: Browser, live_server: LiveServer, script: bool
) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=script).new_page()
    troubles = _troubles(page)
    page.goto("/setup/preview/")
    page.get_by_role("button", name="Make the preview").click()
    expect(page.get_by_role("heading", name="Reading both systems")).to_be_visible()
    for _ in range(4):
        rehearsal.sync()
    if not script:
        page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("heading", name="Values that would change")).to_be_visible()
    expect(page.get_by_text("Last worked out")).to_be_visible()

    page.get_by_role("link", name="All values, before and after").click()
    page.get_by_label("Written to").select_option("dynamics")
    page.get_by_label("What happens").select_option("replaced")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr ins")).to_have_text("Head")

    page.goto("/setup/start/")
    page.get_by_role("button", name="Start the sync").click()
    expect(page.get_by_text("what was planned is being written")).to_be_visible()
    rehearsal.sync(2)
    if not script:
        page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Everything that was planned has been carried out")).to_be_visible()
    assert troubles == []
