"""Failures: cards, the records behind, what can be done, the mends offered here, and the catalogue of causes."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from syncadmin.engine.causes import Cause
from syncadmin.engine.convert_choices import add_text
from syncadmin.services import answers, bulk_release
from syncadmin.services.bulk_release import Which
from syncadmin.store import fieldsets, options
from syncadmin.store.models import Activity, AuditEntry, DynamicsRecord, Failure, SyncRequest
from syncadmin.store.queries.failures import FailureFilter
from tests.web.people import CITY, RATING, TITLE, World

RECORDS = "/failures/records/"


def _page(client: Client, address: str = "/failures/") -> str:
    return client.get(address).content.decode()


def _list(client: Client, query: str) -> str:
    return client.get(f"{RECORDS}?{query}", headers={"HX-Request": "true"}).content.decode()


def _act(client: Client, **given: object) -> str:
    return client.post("/failures/act/", given, follow=True).content.decode()


def test_cards_tell_count_remedy_fields_and_trend(vic: Client, world: World) -> None:
    world.fields()
    for days, name in ((0, "Ada Byron"), (2, "Bo Lind"), (2, "Cy Ode")):
        world.failure(world.linked(name), key=TITLE, opened_at=world.now - timedelta(days=days))
    world.failure(world.linked("Di Poe"), cause="last_name_missing", opened_at=world.now - timedelta(days=30))
    page = _page(vic)
    assert page.index("Value too long") < page.index("No last name")
    assert "Shorten the value, or allow shortening" in page
    assert re.search(r'badge bad">3<', page)
    assert "Job Title (Lead)" in page
    assert "1 today; 0.3 a day in the week before" in page
    assert "0 today; 0 a day in the week before" in page
    assert page.count('class="today"') == 2


def test_the_records_behind_a_cause_are_listed_with_everything_known(vic: Client, world: World) -> None:
    world.fields()
    told = {"value": "Countess of Lovelace", "limit": "10 characters", "hash": "h"}
    world.failure(
        world.linked("Ada Byron"),
        key=TITLE,
        table="lead",
        value=told,
        code="0x80044331",
        message="too long",
        attempts=7,
    )
    page = _page(vic, f"{RECORDS}?cause=too_long")
    assert "The value of Job Title is longer than 10 characters." in page
    for text in ("Ada Byron", "Countess of Lovelace", "0x80044331", "Lead → Dynamics, update", ">7</td>"):
        assert text in page


def test_they_are_narrowed_by_everything_the_form_offers(vic: Client, world: World) -> None:
    world.failure(world.linked("Ada Byron"), key=TITLE, table="lead")
    world.failure(world.linked("Bo Lind"), key=CITY, side="marketo", table="contact", cause="unknown")
    for query in (f"key={CITY}", "side=marketo", "table=contact", "cause=unknown"):
        assert "Bo Lind" in _list(vic, query), query
        assert "Ada Byron" not in _list(vic, query), query
    assert "Ada Byron" in _list(vic, "cause=nonsense&side=up&state=never&after=x")


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_pages_follow_each_other_without_gap_or_repetition(vic: Client, world: World, sort: str) -> None:
    for number in range(101):
        world.failure(world.linked(f"Person {number}"))
    world.failure(world.linked("Else"), cause="unknown")
    seen: list[int] = []
    address = f"{RECORDS}?cause=too_long&sort={sort}"
    while address:
        text = vic.get(address, headers={"HX-Request": "true"}).content.decode()
        seen += [int(found) for found in re.findall(r'href="/people/(\d+)/"', text)]
        following = re.search(r'rel="next" href="([^"]*)"', text)
        address = following[1].replace("&amp;", "&") if following else ""
    order = "-pk" if sort == "newest" else "pk"
    assert seen == list(Failure.objects.filter(cause="too_long").order_by(order).values_list("link_id", flat=True))


def test_the_head_says_what_the_list_is_narrowed_to_by_htmx(vic: Client, world: World) -> None:
    world.failure(cause="too_long", closed_at=world.now)
    part = _list(vic, "cause=too_long&state=closed&sort=oldest")
    head = part.partition('<div id="records-head" hx-swap-oob="true">')[2]
    assert "<h1>Value too long</h1>" in head
    assert re.search(r'state=closed" aria-current="page"', head)
    assert "<title>Value too long · syncadmin</title>" in part
    # The order is one of the filters' own, or the next filter would turn it back.
    assert '<input type="hidden" name="sort" value="oldest" form="filters">' in part
    page = _page(vic, f"{RECORDS}?cause=too_long")
    assert page.count('id="records-head"') == 1
    assert "hx-swap-oob" not in page
    assert 'name="sort"' not in page


def test_closed_ones_stay_findable_and_can_no_longer_be_released(oscar: Client, world: World) -> None:
    failure = world.failure(world.linked("Ada Byron"), closed_at=world.now)
    assert "Ada Byron" not in _list(oscar, "")
    page = _list(oscar, "state=closed")
    assert "Ada Byron" in page
    assert 'name="act"' not in page
    assert "Nothing was changed: somebody, or a run, was faster." in _act(oscar, act="release", chosen=failure.pk)
    assert not AuditEntry.objects.exists()


def test_the_export_has_all_that_fit(vic: Client, world: World) -> None:
    for number in range(55):
        world.failure(world.linked(f"Person {number}"), message="=cmd|' /C calc'!A0")
    world.failure(world.linked("Else"), cause="unknown")
    answer = vic.get(f"{RECORDS}?cause=too_long&format=csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 55
    assert {row["Message"] for row in rows} == {"'=cmd|' /C calc'!A0"}


def test_one_is_released_at_once_and_tried_by_the_next_run(oscar: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    failure = world.failure(link, key=TITLE, side="marketo", ignored=True)
    answer = oscar.post("/failures/act/", {"act": "release", "chosen": failure.pk, "back": f"/people/{link.pk}/"})
    assert answer.headers["Location"] == f"/people/{link.pk}/"
    failure.refresh_from_db()
    assert failure.next_try_at is not None
    assert (failure.closed_at, failure.ignored) == (None, False)
    assert (AuditEntry.objects.get().action, Activity.objects.get().details["answer"]) == ("release", "release")


def test_all_of_a_cause_are_asked_about_first_with_their_number(oscar: Client, world: World) -> None:
    for number in range(3):
        world.failure(world.linked(f"Person {number}"))
    world.failure(world.linked("Cy Ode"), cause="unknown")
    page = _act(oscar, act="release", which="all", cause="too_long")
    assert "Release 3 failures?" in page
    assert not Failure.objects.exclude(next_try_at=None).exists()
    assert "3 failures are released" in _act(oscar, act="release", which="all", cause="too_long", sure="1")
    assert Failure.objects.exclude(next_try_at=None).count() == 3


def test_records_without_a_link_are_taken_up_again(oscar: Client, world: World) -> None:
    record, person = world.in_dynamics("Ada Byron"), world.in_marketo("Bo Lind")
    request = SyncRequest.objects.create(
        person=person.person, status="failed", sync_as="lead", source="trigger", received_at=world.now
    )
    world.failure(subject=f"dynamics:{record.guid}")
    world.failure(subject=f"marketo:{person.person}")
    _act(oscar, act="release", which="all", sure="1")
    request.refresh_from_db()
    assert (DynamicsRecord.objects.get().due, request.status) == ("pair", "queued")


def test_put_aside_they_are_not_counted_until_taken_back(oscar: Client, world: World) -> None:
    failure = world.failure(world.linked("Ada Byron"))
    assert "1 failure is put aside" in _act(oscar, act="ignore", chosen=[failure.pk, "x"])
    page = _page(oscar)
    assert "1 put aside" in page
    assert 'class="tally"' not in page
    assert "Ada Byron" not in _list(oscar, "")
    assert "Ada Byron" in _list(oscar, "state=ignored")
    assert "1 failure counts again" in _act(oscar, act="notice", chosen=failure.pk)
    assert "Ada Byron" in _list(oscar, "")


def test_nothing_chosen_and_nonsense_change_nothing(oscar: Client, world: World) -> None:
    world.failure(world.linked())
    assert "No failure was chosen" in _act(oscar, act="release")
    assert oscar.post("/failures/act/", {"act": "delete", "which": "all", "sure": "1"}).status_code == 404
    assert not AuditEntry.objects.exists()


def test_thousands_are_released_in_a_moment(world: World) -> None:
    first = world.failure(world.linked("Ada Byron"))
    rows = [
        Failure(
            subject=f"stream:{number}",
            side="dynamics",
            operation="update",
            cause="too_long",
            opened_at=world.now,
            last_at=world.now,
        )
        for number in range(10_000)
    ]
    Failure.objects.bulk_create(rows)
    assert bulk_release.release(Which(wanted=FailureFilter(cause="too_long")), "ada", world.now) == 10_001
    assert Failure.objects.filter(next_try_at=world.now).count() == 10_001
    assert Activity.objects.filter(link=first.link_id).count() == 1


def test_a_viewer_reads_but_changes_nothing(vic: Client, world: World) -> None:
    failure = world.failure(world.linked("Ada Byron"))
    assert 'name="act"' not in _page(vic) + _page(vic, RECORDS)
    assert vic.post("/failures/act/", {"act": "release", "chosen": failure.pk}).status_code == 403
    assert vic.post(f"/failures/{failure.pk}/fix/").status_code == 403
    failure.refresh_from_db()
    assert failure.next_try_at is None


def test_a_form_never_sends_anybody_elsewhere(oscar: Client, world: World) -> None:
    for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = oscar.post("/failures/act/", {"act": "release", "back": back})
        assert answer.headers["Location"] == "/failures/"


# --- mends -----------------------------------------------------------------------------------------------------------


def _unknown(world: World, name: str, value: str) -> Failure:
    return world.failure(
        world.linked(name), key=RATING, table="lead", cause="unknown_option", value={"value": value, "limit": ""}
    )


def test_an_option_is_mapped_and_only_what_that_mends_is_released(ada: Client, world: World) -> None:
    world.fields()
    one, other, third = (
        _unknown(world, "A", "Scorching"),
        _unknown(world, "B", "Scorching"),
        _unknown(world, "C", "Icy"),
    )
    page = _page(ada, f"{RECORDS}?cause=unknown_option")
    assert f'href="/failures/{one.pk}/fix/"' in page
    page = _page(ada, f"/failures/{one.pk}/fix/")
    assert "2 open failures are released by this" in page
    assert '<option value="1">Hot (1)</option>' in page
    page = ada.post(f"/failures/{one.pk}/fix/", {"given": "1"}, follow=True).content.decode()
    assert "The field is changed, and 2 failures are released" in page
    pair = next(pair for pair in fieldsets.pairs(options.read().field_version) if pair.key == RATING)
    assert pair.options == {"1": "Hot\nScorching"}
    assert set(Failure.objects.exclude(next_try_at=None).values_list("pk", flat=True)) == {one.pk, other.pk}
    assert third.next_try_at is None
    assert AuditEntry.objects.filter(action="field rule", subject=RATING, who="ada").exists()


def test_an_option_that_is_none_of_the_list_is_refused(ada: Client, world: World) -> None:
    world.fields()
    row = _unknown(world, "A", "Scorching")
    version = options.read().field_version
    page = ada.post(f"/failures/{row.pk}/fix/", {"given": "77"}).content.decode()
    assert "Choose one of the options." in page
    assert options.read().field_version == version


def test_a_text_stands_for_one_option_only() -> None:
    assert add_text({}, "1", "Hot", "Scorching") == {"1": "Hot\nScorching"}
    known = {"1": "Hot\nScorching", "2": "Warm"}
    assert add_text(known, "2", "Warm", "scorching") == {"1": "Hot", "2": "Warm\nscorching"}


def test_shortening_is_allowed_and_all_of_the_field_released(ada: Client, world: World) -> None:
    world.fields()
    row = world.failure(world.linked("A"), key=TITLE, table="lead", value={"value": "x" * 300, "limit": "100"})
    world.failure(world.linked("B"), key=CITY, table="lead")
    assert "1 open failure is released by this" in _page(ada, f"/failures/{row.pk}/fix/")
    assert "1 failure is released" in ada.post(f"/failures/{row.pk}/fix/", follow=True).content.decode()
    assert {pair.key for pair in fieldsets.pairs(options.read().field_version) if pair.shorten} == {TITLE}
    assert "Nothing can be changed here" in _page(ada, f"/failures/{row.pk}/fix/")


def test_a_required_column_gets_a_default(ada: Client, world: World) -> None:
    world.fields()
    person = world.in_marketo("Bo Lind")
    row = world.failure(
        subject=f"marketo:{person.person}",
        key="lead.jobtitle:",
        column="jobtitle",
        table="lead",
        operation="create",
        cause="required_missing",
    )
    address = f"/failures/{row.pk}/fix/"
    assert "Only {first name}" in ada.post(address, {"given": "{shoe size}"}).content.decode()
    assert "Give a default" in ada.post(address, {"given": " "}).content.decode()
    assert "1 failure is released" in ada.post(address, {"given": "{company} staff"}, follow=True).content.decode()
    assert {pair.default for pair in fieldsets.pairs(options.read().field_version) if pair.key == TITLE} == {
        "{company} staff"
    }


def test_a_mend_of_a_column_releases_nothing_of_another_one(ada: Client, world: World) -> None:
    world.fields()
    told = {"table": "lead", "operation": "create", "cause": "required_missing"}
    row = world.failure(column="jobtitle", **told)
    others = [
        world.failure(column="address1_city", **told),
        world.failure(column="jobtitle", **{**told, "table": "contact"}),
    ]
    address = f"/failures/{row.pk}/fix/"
    assert "1 open failure is released by this" in _page(ada, address)
    assert "1 failure is released" in ada.post(address, {"given": "staff"}, follow=True).content.decode()
    row.refresh_from_db()
    assert row.next_try_at is not None
    assert not Failure.objects.filter(pk__in=[other.pk for other in others], next_try_at__isnull=False).exists()


def test_a_default_mends_nothing_that_marketo_refused(ada: Client, world: World) -> None:
    world.fields()
    row = world.failure(world.linked("Bo Lind"), side="marketo", key=TITLE, column="title", cause="required_missing")
    assert "Nothing can be changed here for this one" in _page(ada, f"/failures/{row.pk}/fix/")


def test_others_see_who_can_make_a_mend(oscar: Client, ada: Client, world: World) -> None:
    world.fields()
    row = world.failure(world.linked("A"), key=TITLE, table="lead")
    assert "An administrator can change this: ada." in _page(oscar, f"/failures/{row.pk}/fix/")
    assert oscar.post(f"/failures/{row.pk}/fix/").status_code == 403
    assert oscar.get("/failures/999999/fix/").status_code == 404


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_cause_has_its_place_in_the_catalogue(vic: Client) -> None:
    page = _page(vic, "/failures/causes/")
    assert all(f'id="{cause}"' in page for cause in Cause)
    assert "{" not in page.split("<main")[1]
    assert "In Power Apps, open the table" in page


def test_cards_and_records_lead_to_the_catalogue(vic: Client, world: World) -> None:
    world.failure(world.linked("A"))
    assert 'href="/failures/causes/#too_long"' in _page(vic)
    assert 'href="/failures/causes/#too_long"' in _page(vic, f"{RECORDS}?cause=too_long")


def test_old_addresses_lead_to_the_new_ones(vic: Client, world: World) -> None:
    assert vic.get("/to-do/").headers["Location"] == "/failures/"
    assert vic.get("/to-do/failures/too_long/").headers["Location"] == f"{RECORDS}?cause=too_long"
    assert vic.get("/to-do/failures/nonsense/").status_code == 404
    decision = world.decision()
    assert vic.get("/to-do/").headers["Location"] == "/decisions/"
    assert vic.get(f"/to-do/decisions/{decision.pk}/").headers["Location"] == f"/decisions/{decision.pk}/"


def test_requests_are_taken_up_together_and_each_persons_latest_alone(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def ask(person: int, status: str) -> SyncRequest:
        return SyncRequest.objects.create(
            person=person, sync_as="lead", source="webhook", status=status, received_at=world.now
        )

    older, latest = ask(1, "failed"), ask(1, "failed")
    others = [ask(number, "failed") for number in range(2, 300)]
    busy, refused = ask(500, "queued"), ask(500, "failed")
    with django_assert_num_queries(3):
        answers.take_up_requests([1, 500, *(row.person for row in others)], ("failed",), world.now)
    queued = set(SyncRequest.objects.filter(status="queued").values_list("pk", flat=True))
    assert queued == {latest.pk, busy.pk, *(row.pk for row in others)}
    assert not {older.pk, refused.pk} & queued
