from __future__ import annotations

import pytest

from syncadmin.engine.defaults import default_pairs, fill, offered_fields, templates
from syncadmin.engine.fields import Direction
from syncadmin.engine.own_fields import OwnNames, own_pairs
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Schema
from tests.engine.cast import column, field

COLUMNS = [
    "lastname",
    "emailaddress1",
    "fax",
    "statecode",
    "companyname",
    "mkt_priority",
    "mkt_leadscore",
    "donotbulkemail",
    "leadsourcecode",
]
FIELDS = ["lastName", "email", "fax", "leadStatus", "company", "priority", "leadScore", "unsubscribed", "leadSource"]
PEOPLE = Schema(Table.PERSON, {name: field(name) for name in FIELDS})


def pairs(table):
    schema = Schema(table, {name: column(name, table=table) for name in COLUMNS})
    return {pair.dynamics: pair for pair in default_pairs(table, schema, PEOPLE)}


def test_pairs_exist_as_far_as_columns_do():
    assert set(pairs(Table.LEAD)) == set(COLUMNS) - {"mkt_leadscore"}
    assert set(pairs(Table.CONTACT)) == set(COLUMNS) - {"fax", "companyname", "leadsourcecode"}
    assert default_pairs(Table.LEAD, Schema(Table.LEAD), PEOPLE) == []


def test_directions_and_consent():
    found = pairs(Table.LEAD)
    assert found["statecode"].direction is Direction.TO_MARKETO
    assert found["mkt_priority"].direction is Direction.TO_DYNAMICS
    assert found["lastname"].direction is Direction.BOTH
    assert [name for name, pair in found.items() if pair.consent] == ["donotbulkemail"]
    assert found["lastname"].key == "lead.lastname:lastName"


def test_offered_fields_make_a_pair_of_their_own():
    offered = {one.name: one for one in offered_fields(Table.LEAD)}
    assert offered["dynTopic"].pair.dynamics == "subject"
    assert offered["dynDoNotEmail"].pair.consent
    assert offered["dynOwnerName"].pair.direction is Direction.TO_MARKETO
    assert "dynTopic" not in {one.name for one in offered_fields(Table.CONTACT)}
    assert all(one.label.replace(" ", "").isalnum() for one in offered.values())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"firstName": "Ida", "lastName": "Kallas"}, "Ida Kallas (Marketo)"),
        ({"firstName": None, "lastName": " Kallas "}, "Kallas (Marketo)"),
        ({}, "(Marketo)"),
    ],
)
def test_the_shipped_subject(values, text):
    assert fill(templates(Table.LEAD)["subject"], values) == text


def test_an_unknown_placeholder_is_refused():
    assert fill("{Company}: {email}", {"company": "Fjord", "email": "a@b.example"}) == "Fjord: a@b.example"
    with pytest.raises(ValueError, match="shoe size"):
        fill("{shoe size}", {})


def test_own_pairs_use_the_chosen_names():
    found = own_pairs(Table.CONTACT, OwnNames(guid="crmId"))
    assert [(pair.dynamics, pair.marketo) for pair in found] == [
        ("@guid", "crmId"),
        ("@type", "dynPersonType"),
        ("@deleted", "dynDeleted"),
    ]
    assert {pair.direction for pair in found} == {Direction.TO_MARKETO}
