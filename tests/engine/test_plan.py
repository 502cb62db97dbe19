from __future__ import annotations

from syncadmin.engine.causes import Cause
from syncadmin.engine.defaults import templates
from syncadmin.engine.fields import Direction
from syncadmin.engine.merge import Agreed, FieldState, FirstContact, merge_link
from syncadmin.engine.own_fields import OwnNames, own_bounds, own_values
from syncadmin.engine.plan import create_in_dynamics, create_in_marketo, plan_link
from syncadmin.engine.records import Ref, Side, Table
from syncadmin.engine.schema import Kind, Required, Schema
from tests.engine.cast import BERLIN, SOURCES, bind, column, field

LAST = bind(column("lastname", required=Required.APPLICATION, max_length=50), field("lastName"))
FIRST = bind(column("firstname", max_length=50), field("firstName"))
MAIL = bind(column("emailaddress1", Kind.EMAIL), field("email", Kind.EMAIL))
SOURCE = bind(column("leadsourcecode", Kind.CHOICE, options=SOURCES), field("leadSource"))
QUIET = bind(column("donotphone", Kind.BOOLEAN), field("doNotCall", Kind.BOOLEAN))
STATE = bind(column("statecode", Kind.STATE, options=SOURCES), field("leadStatus"))
BOUNDS = [LAST, FIRST, MAIL, SOURCE, QUIET, STATE]
SUBJECT = column("subject", required=Required.APPLICATION, max_length=20)
OWNER = column("ownerid", Kind.OWNER, required=Required.SYSTEM)
LEADS = Schema(Table.LEAD, {one.name: one for one in [*(bound.column for bound in BOUNDS), SUBJECT, OWNER]})
IDA = {"lastName": "Kallas ", "firstName": "Ida", "email": "IDA@x.example", "leadSource": "web", "doNotCall": False}


def lead_from(**values):
    return create_in_dynamics(Table.LEAD, {**IDA, **values}, BOUNDS, LEADS, templates(Table.LEAD))


def codes(plan):
    return [(problem.code, problem.column) for problem in plan.problems]


def test_a_lead_is_made_from_a_person_with_its_default_subject():
    plan = lead_from(leadStatus="Open")
    assert plan.values == {
        "lastname": "Kallas",
        "firstname": "Ida",
        "emailaddress1": "IDA@x.example",
        "leadsourcecode": 1,
        "subject": "Ida Kallas (Marketo)",
    }
    assert plan.agreed[SOURCE.pair.key] == Agreed("web", "web", 1)
    assert plan.problems == ()
    assert not plan.blocked
    assert set(plan.agreed) == {bound.pair.key for bound in (LAST, FIRST, MAIL, SOURCE)}


def test_a_default_is_cut_to_fit():
    assert lead_from(firstName="Maximiliane").values["subject"] == "Maximiliane Kallas ("


def test_a_person_without_a_last_name_is_not_created():
    plan = lead_from(lastName=" ")
    assert codes(plan) == [(Cause.LAST_NAME_MISSING, "lastname")]
    assert plan.blocked


def test_a_malformed_address_stops_the_create_and_a_bad_option_only_its_field():
    assert lead_from(email="nobody").blocked
    plan = lead_from(leadSource="Billboard")
    assert codes(plan) == [(Cause.UNKNOWN_OPTION, "leadsourcecode")]
    assert not plan.blocked
    assert "leadsourcecode" not in plan.values


def test_a_required_column_without_value_or_default_is_missing():
    plan = create_in_dynamics(Table.LEAD, IDA, BOUNDS, LEADS, {})
    assert codes(plan) == [(Cause.REQUIRED_MISSING, "subject")]


def test_a_pairs_own_default_goes_first_and_leaves_nothing_agreed():
    titled = bind(SUBJECT, field("topic"), default="From {company}")
    plan = create_in_dynamics(Table.LEAD, {**IDA, "company": "Fjord"}, [*BOUNDS, titled], LEADS, templates(Table.LEAD))
    assert plan.values["subject"] == "From Fjord"
    assert titled.pair.key not in plan.agreed


def test_a_person_is_made_from_a_lead_with_our_own_fields():
    names = OwnNames()
    people = Schema(
        Table.PERSON,
        {
            "dynPersonGuid": field("dynPersonGuid"),
            "dynPersonType": field("dynPersonType"),
            "dynDeleted": field("dynDeleted", Kind.BOOLEAN),
        },
    )
    own = own_bounds(Table.LEAD, names, people, BERLIN)
    ref = Ref(Table.LEAD, "8a41c0de-0000-0000-0000-000000000001")
    record = {
        "lastname": "Kallas",
        "statecode": 2,
        "emailaddress1": "zoë@x.example",
        "donotphone": None,
        **own_values(ref),
    }
    plan = create_in_marketo(Table.LEAD, record, [*BOUNDS, *own])
    assert plan.values == {
        "lastName": "Kallas",
        "leadStatus": "Trade Show",
        "dynPersonGuid": ref.id,
        "dynPersonType": "Lead",
        "dynDeleted": False,
    }
    assert codes(plan) == [(Cause.NON_ASCII_EMAIL, "email")]


def test_a_pair_that_does_not_travel_there_stays_out_of_a_create():
    kept = bind(column("fax"), field("fax"), direction=Direction.TO_MARKETO)
    schema = Schema(Table.LEAD, {"fax": kept.column})
    assert create_in_dynamics(Table.LEAD, {"fax": "1"}, [kept], schema, {}).values == {}


def test_a_link_plan_sorts_results_by_side():
    agreed = Agreed("a", "a")
    states = [
        FieldState(FIRST, agreed, "b", "a"),
        FieldState(LAST, agreed, "a", "c"),
        FieldState(SOURCE, agreed, "x", "a"),
        FieldState(MAIL, agreed, "b@x.example", "c@x.example"),
        FieldState(QUIET, Agreed(False, False), True, True),
        FieldState(STATE, Agreed("web", "web"), 1, "Open"),
    ]
    plan = plan_link(BOUNDS, merge_link(states, table=Table.CONTACT, first=FirstContact.RULE))
    assert plan.values(Side.MARKETO) == {"firstName": "b", "email": "b@x.example"}
    assert plan.values(Side.DYNAMICS) == {"lastname": "c"}
    assert [result.key for result in plan.agrees] == [QUIET.pair.key]
    assert [result.key for result in plan.conflicts] == [MAIL.pair.key]
    assert [result.key for result in plan.held] == [STATE.pair.key]
    assert [result.key for result in plan.failures] == [SOURCE.pair.key]
