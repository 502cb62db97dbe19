"""Every kind of value, from each side to the other, as both systems really store it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncadmin.services.choose_fields import WrongPairs
from syncadmin.store.models import Conflict, Failure
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

# column, field, its Marketo type (empty: a standard field), Dynamics' value and Marketo's, another of each.
KINDS = [
    ("address1_line1", "address", "", "Quay 1\nPier B", "Quay 1\nPier B", "Dock 3", "Dock 3"),
    ("description", "mktoPersonNotes", "", "Tall\r\nand thin", "Tall\nand thin", "Ærlig 漢字 🚢", "Ærlig 漢字 🚢"),
    ("websiteurl", "website", "", "https://fjord.example", "https://fjord.example", "fjord.example", "fjord.example"),
    ("telephone1", "phone", "", "+47 55 12", "+47 55 12", "0047", "0047"),
    ("numberofemployees", "testHeads", "integer", 12, 12, 99, 99),
    ("revenue", "testRevenue", "currency", Decimal("1250.50"), 1250.5, Decimal("99.99"), 99.99),
    ("nvk_discount", "testDiscount", "float", Decimal("12.25"), 12.25, Decimal("0.5"), 0.5),
    ("nvk_discount", "testShare", "string", Decimal("12.25"), "12.25", Decimal("7"), "7"),
    ("donotphone", "doNotCall", "", True, True, False, None),
    ("decisionmaker", "testDecides", "string", True, "completed", False, "mark complete"),
    ("leadsourcecode", "leadSource", "", 7, "Trade Show", 8, "Web"),
    ("nvk_interests", "testInterests", "string", "1,3", "Cranes; Hoists", "2,7", "Forklifts; Spare parts"),
    ("nvk_renewalon", "testRenewal", "date", "2026-03-04", "2026-03-04", "2027-12-31", "2027-12-31"),
    (
        "schedulefollowup_qualify",
        "testFollowUp",
        "date",
        "2026-07-01T22:00:00Z",
        "2026-07-02",
        "2026-12-31T23:00:00Z",
        "2027-01-01",
    ),
    (
        "mkt_lastinterestingmomentdate",
        "testMoment",
        "datetime",
        "2026-03-04T09:15:42Z",
        "2026-03-04T09:15:42Z",
        "2026-05-01T00:00:00Z",
        "2026-05-01T00:00:00Z",
    ),
    (
        "nvk_localvisit",
        "testVisit",
        "datetime",
        "2026-03-04T09:15:00Z",
        "2026-03-04T09:15:00Z",
        "2026-05-01T18:30:00Z",
        "2026-05-01T18:30:00Z",
    ),
]
NAMES = [f"{kind[0]}-{kind[2] or 'standard'}" for kind in KINDS]


def prepared(column, field, kind, **rules):
    world = World(started=False)
    if kind:
        world.marketo.add_field(field, field, kind)
    world.set_up(time_zone="Europe/Oslo")
    world.pair("lead", column, field, **rules)
    return world


@pytest.mark.parametrize(("column", "field", "kind", "here", "there", "here2", "there2"), KINDS, ids=NAMES)
def test_a_value_travels_both_ways(column, field, kind, here, there, here2, there2):
    world = prepared(column, field, kind)
    guid, person = world.linked(**{column: here})
    assert spoken(world.marketo.get("person", person).get(field)) == spoken(there)

    world.marketo.edit("person", person, {field: there2})
    world.sync(2)
    assert spoken(world.dynamics.get("lead", guid).get(column)) == spoken(here2)

    world.dynamics.edit("lead", guid, {column: here})
    world.sync(2)
    assert spoken(world.marketo.get("person", person).get(field)) == spoken(there)
    assert not Conflict.objects.exists()
    assert not Failure.objects.exists()
    assert world.quiet()


def spoken(value):
    """Numbers alike however they are kept, instants without the ways to write UTC, line ends as one."""
    if value in (None, False):
        return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value)).normalize()
    return str(value).replace("+0000", "Z").replace("+00:00", "Z").replace("ZZ", "Z").replace("\r\n", "\n")


def test_an_option_map_goes_before_labels_both_ways():
    world = prepared("leadqualitycode", "rating", "", options={"1": "A", "2": "B"})
    guid, person = world.linked(leadqualitycode=1)
    assert world.marketo.get("person", person)["rating"] == "A"

    world.marketo.edit("person", person, {"rating": "b"})
    world.sync()
    assert world.dynamics.get("lead", guid)["leadqualitycode"] == 2

    world.marketo.edit("person", person, {"rating": "Cold"})
    world.sync()
    assert world.dynamics.get("lead", guid)["leadqualitycode"] == 3
    assert world.quiet()


def test_a_label_in_another_case_is_the_same_option():
    world = World()
    guid, person = world.linked(leadsourcecode=7)
    world.marketo.edit("person", person, {"leadSource": "TRADE SHOW "})

    assert world.quiet(2)
    assert world.dynamics.get("lead", guid)["leadsourcecode"] == 7


def test_options_in_another_order_are_the_same_choice():
    world = prepared("nvk_interests", "testInterests", "string")
    _guid, person = world.linked(nvk_interests="1,3")
    world.marketo.edit("person", person, {"testInterests": "hoists;Cranes; "})

    assert world.quiet(2)


def test_an_address_in_another_case_is_the_same_address():
    world = World()
    guid, person = world.linked(emailaddress1="Ida@Fjord.Example")
    assert world.marketo.get("person", person)["email"] == "Ida@Fjord.Example"
    world.marketo.edit("person", person, {"email": "ida@fjord.example"})

    assert world.quiet(2)
    assert world.dynamics.get("lead", guid)["emailaddress1"] == "Ida@Fjord.Example"


def test_blanks_around_a_text_are_no_change():
    world = World()
    guid, _person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "  Mate "})

    assert world.quiet(2)


def test_nothing_in_dynamics_and_no_in_marketo_are_the_same():
    world = World()
    guid, person = world.linked(donotphone=None)

    assert world.dynamics.get("lead", guid).get("donotphone") in (None, False)
    assert world.marketo.get("person", person).get("doNotCall") is None
    assert world.quiet(2)


def test_money_is_rounded_once_and_does_not_wander():
    world = prepared("revenue", "testRevenue", "float")
    guid, person = world.linked(revenue=1)
    world.marketo.edit("person", person, {"testRevenue": 10.126})
    world.sync(2)

    assert world.dynamics.get("lead", guid)["revenue"] in (Decimal("10.13"), Decimal("10.1300"))
    assert world.marketo.get("person", person)["testRevenue"] == 10.126
    assert world.quiet(3)


@pytest.mark.parametrize(("zone", "day"), [("Europe/Oslo", "2026-07-02"), ("America/New_York", "2026-07-01")])
def test_a_date_of_an_instant_is_the_organisations_date(zone, day):
    world = World(started=False)
    world.marketo.add_field("testFollowUp", "testFollowUp", "date")
    world.set_up(time_zone=zone)
    world.pair("lead", "schedulefollowup_qualify", "testFollowUp")
    _, person = world.linked(schedulefollowup_qualify="2026-07-01T22:30:00Z")

    assert world.marketo.get("person", person)["testFollowUp"] == day


def test_the_owners_name_travels_to_marketo_only():
    world = prepared("ownerid", "testOwner", "string", direction="to_marketo")
    boss = world.dynamics.create(
        "systemuser",
        {
            "firstname": "Ada",
            "lastname": "Berg",
            "internalemailaddress": "a@b.cc",
            "domainname": "a@b.cc",
            "accessmode": 0,
            "caltype": 0,
            "userlicensetype": 0,
            "isintegrationuser": False,
        },
    )
    guid, person = world.linked()
    world.dynamics.assign("lead", guid, boss)
    world.sync()
    assert world.marketo.get("person", person)["testOwner"] == "Ada Berg"

    world.marketo.edit("person", person, {"testOwner": "Nobody"})
    world.sync(2)
    assert world.dynamics.get("lead", guid)["ownerid"] == boss
    assert world.marketo.get("person", person)["testOwner"] == "Nobody"


def test_a_state_travels_as_its_label_and_never_back():
    world = World()
    guid, person = world.linked()
    assert world.marketo.get("person", person)["leadStatus"] == "Open"
    world.marketo.edit("person", person, {"leadStatus": "Qualified"})
    world.sync(2)
    assert world.dynamics.get("lead", guid).get("statecode", 0) == 0

    world.dynamics.deactivate("lead", guid)
    world.sync()
    assert world.marketo.get("person", person)["leadStatus"] == "Disqualified"


def test_a_calculated_column_travels_to_marketo_only():
    world = prepared("fullname", "testFullName", "string")
    guid, person = world.linked(firstname="Ida", lastname="Vik")
    assert world.marketo.get("person", person)["testFullName"] == "Ida Vik"
    world.marketo.edit("person", person, {"testFullName": "Someone"})
    world.sync(2)

    assert world.dynamics.get("lead", guid)["fullname"] == "Ida Vik"
    assert not Failure.objects.exists()


# --- too long --------------------------------------------------------------------------------------------------------


def test_too_long_is_a_failure_of_that_field_only():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "x" * 150, "city": "Oslo"})
    world.sync()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    failure = world.failure()
    assert (failure.cause, failure.key, failure.value["limit"]) == ("too_long", "lead.jobtitle:title", "100")
    assert world.marketo.get("person", person)["title"] == "x" * 150


def test_a_pair_that_may_shorten_does_and_rests():
    world = World()
    world.pair("lead", "jobtitle", "title", shorten=True)
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "x" * 150})
    world.sync()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "x" * 100
    assert world.marketo.get("person", person)["title"] == "x" * 150
    assert not Failure.objects.exists()
    assert world.quiet(3)


# --- company-class fields --------------------------------------------------------------------------------------------


def test_a_company_field_of_a_person_without_company_is_a_field_like_any_other():
    world = World()
    guid, person = world.linked(companyname="Fjord AS")
    world.marketo.edit("person", person, {"company": "Dal AS"})
    world.sync()

    assert world.dynamics.get("lead", guid)["companyname"] == "Dal AS"


def test_a_field_that_belongs_to_a_company_record_is_neither_written_nor_taken_for_an_edit():
    world = World()
    guid, person = world.linked(companyname="Fjord AS", jobtitle="Mate")
    world.marketo.link_company(person, "C-1", {"company": "Dal AS"})
    world.sync()
    world.dynamics.edit("lead", guid, {"companyname": "Fjord Holding", "jobtitle": "Captain"})
    world.sync(2)

    assert world.dynamics.get("lead", guid)["companyname"] == "Fjord Holding"
    assert world.marketo.get("person", person)["company"] == "Dal AS"
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert world.link_of(guid).held["lead.companyname:company"]["why"] == "company"
    assert not Failure.objects.exists()
    assert not Conflict.objects.exists()
    assert world.quiet(2)


def test_a_contact_has_no_company_fields():
    world = World()

    with pytest.raises(WrongPairs):
        world.pair("contact", "description", "company")
