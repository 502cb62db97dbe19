"""The canned systems: what is read after a write, and what their feeds tell of it."""

from __future__ import annotations

import json

import pytest

from syncadmin.engine.records import Table
from syncadmin.proof.bench.drawer import Drawer, attributes
from syncadmin.proof.bench.population import email, human, number_at, place_of

AT = "2026-11-23T12:00:00Z"
WHO = attributes("Web service API", Request_Id="w#1")


@pytest.fixture
def drawer():
    made = Drawer("http://there")
    made.fill(12)
    yield made
    made.close()


def rows(page):
    return json.loads(page)["value"]


def lines(drawer):
    told, more = drawer.lines_page()
    return [(line["leadId"], *line["fields"][0].values()) for line in json.loads(told)], more


def test_everybody_is_on_a_page_of_their_table_and_found_by_number_and_address(drawer):
    contacts, leads = (rows(drawer.full_page(table, 0)) for table in (Table.CONTACT, Table.LEAD))
    assert [row["contactid"] for row in contacts] == [human(4).guid, human(9).guid]
    assert [row["leadid"] for row in leads] == [human(each).guid for each in (0, 1, 2, 3, 5, 6, 7, 8, 10, 11)]
    assert [place_of(each) for each in range(12)] == [0, 1, 2, 3, 0, 4, 5, 6, 7, 1, 8, 9]
    assert json.loads(drawer.person(7))["email"] == email(7)
    assert drawer.number_at(email(7).upper()) == number_at(email(7)) == 7
    assert [drawer.number_at(each) for each in (email(12), "person.7@company8.example", "")] == [None] * 3


def test_a_changed_record_is_told_once_as_it_is_by_then(drawer):
    first = drawer.write_record(4, {"jobtitle": "Boss"}, AT)
    last = drawer.write_record(4, {"fax": "1"}, AT)
    (told,) = rows(drawer.changes_page(Table.CONTACT))
    assert (told["jobtitle"], told["fax"], told["modifiedon"]) == ("Boss", "1", AT)
    assert told["@odata.etag"] == f'W/"{last}"' != f'W/"{first}"'
    assert rows(drawer.records(Table.CONTACT, [4])) == [told]
    assert rows(drawer.changes_page(Table.CONTACT)) == rows(drawer.changes_page(Table.LEAD)) == []


def test_a_line_is_told_for_each_value_that_differs(drawer):
    said = {"id": human(3).person, "dynPersonGuid": "g", "dynDeleted": False, "doNotCall": True}
    assert drawer.write_person(3, said, AT, WHO)
    assert lines(drawer) == (
        [(human(3).person, 1, "dynPersonGuid", "g", None), (human(3).person, 1, "doNotCall", "true", "false")],
        False,
    )
    assert drawer.write_person(3, said, AT, WHO)
    assert lines(drawer) == ([], False)
    assert json.loads(drawer.person(3))["dynPersonGuid"] == "g"
    assert not drawer.write_person(12, said, AT, WHO)


def test_a_feed_says_whether_it_has_more(drawer):
    for place in range(301):
        drawer.write_person(1, {"title": f"Title {place}"}, AT, WHO)
    told, more = lines(drawer)
    assert (len(told), more) == (300, True)
    assert lines(drawer) == ([(human(1).person, 1, "title", "Title 300", "Title 299")], False)


def test_it_forgets_what_was_written_and_what_was_to_be_told(drawer):
    before = drawer.person(1), drawer.records(Table.LEAD, [1])
    drawer.write_person(1, {"title": "Boss"}, AT, WHO)
    drawer.write_record(1, {"jobtitle": "Boss"}, AT)
    drawer.forget()
    assert drawer.person(1) == before[0]
    assert rows(drawer.records(Table.LEAD, [1])) == json.loads(before[1])["value"]
    assert (lines(drawer), rows(drawer.changes_page(Table.LEAD))) == (([], False), [])
