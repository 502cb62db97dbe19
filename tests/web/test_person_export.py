"""The complete history as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from tests.web.people import CITY, RATING, TITLE, World


def _csv(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def _json(client: Client, address: str) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined, no-any-return]


def test_every_changed_field_is_a_row_and_choices_have_their_labels(vic: Client, world: World) -> None:
    world.fields()
    link, run = world.linked("Ada Byron"), world.run()
    world.line(link, "linked", details={"how": "email"})
    changes = [[TITLE, "Poet", "Countess", "one_sided"], [RATING, "warm", "hot", ""]]
    world.line(link, "updated", side="marketo", changes=changes, run=run)
    rows = _csv(vic, f"/people/{link.pk}/history.csv")
    assert [(row["Kind"], row["Field"], row["Before"], row["After"], row["Rule"]) for row in rows] == [
        ("Written", "Job Title", "Poet", "Countess", "only one side had changed"),
        ("Written", "Rating", "Warm", "Hot", ""),
        ("Linked", "", "", "", ""),
    ]
    assert rows[0]["Run"] == str(run.pk)
    assert rows[0]["Side"] == "Marketo"
    assert rows[2]["What happened"] == "Linked: both have the same e-mail address."


def test_the_whole_history_comes_however_long_it_is(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    for number in range(2_050):
        world.line(link, "updated", side="marketo", changes=[[TITLE, number, number + 1, ""]])
    world.line(None, "seen", dynamics=link.dynamics, side="dynamics")
    rows = _csv(vic, f"/people/{link.pk}/history.csv")
    assert [row["After"] for row in rows] == ["", *(str(number) for number in range(2_050, 0, -1))]
    told = _json(vic, f"/people/{link.pk}/history.json")
    assert len(told["history"]) == 2_051


def test_json_holds_codes_for_programs_and_sentences_for_people(vic: Client, world: World) -> None:
    world.fields()
    link = world.linked("Ada Byron")
    world.line(link, "conflict", details={"key": CITY, "winner": "marketo", "rule": "collision_lead"})
    told = _json(vic, f"/people/{link.pk}/history.json")
    assert told["person"] == {
        "name": "Ada Byron",
        "email": link.email,
        "link": link.pk,
        "dynamics": str(link.dynamics),
        "marketo": str(link.marketo),
    }
    (line,) = told["history"]
    assert (line["kind"], line["changes"]) == ("conflict", [])
    assert line["text"].startswith("Both sides changed City; Marketo won")


def test_an_empty_history_is_a_whole_file(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    assert _csv(vic, f"/people/{link.pk}/history.csv") == []
    assert _json(vic, f"/people/{link.pk}/history.json")["history"] == []


def test_a_record_without_a_partner_has_its_history_too(vic: Client, world: World) -> None:
    record, person = world.in_dynamics("Bo Lind"), world.in_marketo("Bo Lind")
    world.line(None, "seen", dynamics=record.guid, side="dynamics")
    world.line(None, "requested", marketo=person.person, details={"status": "queued"})
    assert [row["Kind"] for row in _csv(vic, f"/people/dynamics/{record.guid}/history.csv")] == ["First seen"]
    assert [row["Kind"] for row in _csv(vic, f"/people/marketo/{person.person}/history.csv")] == ["Sync Person"]


def test_a_value_that_a_spreadsheet_would_run_is_made_harmless(vic: Client, world: World) -> None:
    link = world.linked("Ada Byron")
    world.line(link, "updated", side="marketo", changes=[[TITLE, "=1+1", "@x", ""]])
    (row,) = _csv(vic, f"/people/{link.pk}/history.csv")
    assert (row["Before"], row["After"]) == ("'=1+1", "'@x")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_whoever_is_unknown_has_no_file(vic: Client, form: str) -> None:
    for place in ("7", "marketo/7", "marketo/99999999999999999999", f"dynamics/{'0' * 8}-0000-0000-0000-{'0' * 12}"):
        assert vic.get(f"/people/{place}/history.{form}").status_code == 404
    assert vic.get("/people/7/history.xml").status_code == 404
