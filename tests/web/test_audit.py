"""The audit log: filtered, paged, exported; for administrators only."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from syncadmin.store.models import AuditEntry
from syncadmin.web.words.audit import ACTIONS
from tests.web.people import World

PAGE = "/settings/audit/"


def _entry(world: World, number: int = 0, **given: Any) -> AuditEntry:
    told = {"at": world.now - timedelta(minutes=number), "who": "ada", "action": "setting", "subject": "wait"}
    return AuditEntry.objects.create(**{**told, **given})


def _rows(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")] if "<tbody>" in page else ""
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in body.split("<tr>")[1:]]


def test_an_entry_tells_who_what_before_and_after(ada: Client, world: World) -> None:
    _entry(world, before=300, after=60)
    _entry(world, action="role", subject="vic", before="viewer", after="operator")
    _entry(world, action="a_new_deed", subject="x", before=[{"a": 1}], after=None)
    newest, role, setting = _rows(ada.get(PAGE).content.decode())
    assert newest.endswith("ada a new deed x A: 1 → nothing")
    assert role.endswith("ada gave a role vic Viewer → Operator")
    assert setting.endswith("ada changed a setting wait 300 → 60")


def test_what_has_parts_tells_only_those_that_changed(ada: Client, world: World) -> None:
    was = {"base_url": "https://one.example", "account": "a1", "client_id": "c1"}
    _entry(
        world, action="connect", subject="dynamics", before=was, after={**was, "client_id": "c2", "secret": "replaced"}
    )
    keys = [f"lead.c{number}:m{number}" for number in range(20)]
    fields = {"version": 1, "pairs": ["lead.city:city", "contact.city:city"]}
    _entry(world, action="fields", before=fields, after={"version": 2, "pairs": ["lead.city:city", *keys]})
    saved, connected = _rows(ada.get(PAGE).content.decode())
    assert connected.endswith("dynamics Client id : c1 → c2 Secret : replaced")
    assert "Fields : city · city (Contact) → c0 · m0 (Lead), " in saved
    assert saved.endswith("c11 · m11 (Lead) and 8 more Version : 1 → 2")


def test_it_filters_by_person_action_and_day(ada: Client, world: World) -> None:
    _entry(world)
    _entry(world, who="bob", action="pause", subject="loop")
    _entry(world, 3 * 1440, who="bob", subject="old")
    assert len(_rows(ada.get(PAGE, {"who": "bob"}).content.decode())) == 2
    assert len(_rows(ada.get(PAGE, {"action": "pause"}).content.decode())) == 1
    day = (world.now - timedelta(days=3)).date().isoformat()
    (only,) = _rows(ada.get(PAGE, {"from": day, "to": day}).content.decode())
    assert " old" in only
    assert "No entry fits." in ada.get(PAGE, {"who": "nobody"}).content.decode()
    assert len(_rows(ada.get(PAGE, {"from": "yesterday", "before": "x"}).content.decode())) == 3


def test_it_pages_and_keeps_the_filter(ada: Client, world: World, part: dict[str, str]) -> None:
    for number in range(60):
        _entry(world, number, who="bob", subject=f"n{number}")
    _entry(world)
    text = ada.get(PAGE, {"who": "bob"}, headers=part).content.decode()
    assert text.lstrip().startswith('<section id="rows"')
    following = re.search(r'rel="next" href="([^"]*)"', text)
    assert following
    assert len(_rows(ada.get(following[1].replace("&amp;", "&")).content.decode())) == 10


def test_the_export_has_every_entry_that_fits_and_runs_no_formula(ada: Client, world: World) -> None:
    for number in range(60):
        _entry(world, number, who="bob", subject="=1+1")
    _entry(world)
    answer = ada.get(f"{PAGE}export.csv", {"who": "bob"})
    assert isinstance(answer, StreamingHttpResponse)
    lines = b"".join(answer).decode().splitlines()  # type: ignore[arg-type]
    assert len(lines) == 61
    assert all(",'=1+1," in line for line in lines[1:])


def test_every_deed_the_services_note_has_words() -> None:
    from pathlib import Path

    from django.conf import settings

    source = "\n".join(path.read_text() for path in (Path(settings.BASE_DIR) / "syncadmin/services").glob("*.py"))
    noted = set(re.findall(r'action="([a-z_ ]+)"|_audit\(\s*"([a-z_ ]+)"', source))
    codes = {one or other for one, other in noted}
    assert len(codes) > 15
    assert codes - ACTIONS.keys() == set()


@pytest.mark.parametrize("path", ["", "export.csv"])
def test_only_administrators_read_it(oscar: Client, path: str) -> None:
    assert oscar.get(PAGE + path).status_code == 403
