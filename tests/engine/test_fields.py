from __future__ import annotations

from dataclasses import replace

import pytest

from syncadmin.engine.causes import Cause
from syncadmin.engine.fields import Direction, Unconvertible, comparable, outgoing, same, travels
from syncadmin.engine.records import Side
from syncadmin.engine.schema import DateBehaviour, Kind, Option, Required
from tests.engine.cast import bind, column, field, kinds

D, M = Side.DYNAMICS, Side.MARKETO
LOCAL_DAY = bind(
    column("birthdate", Kind.DATETIME, behaviour=DateBehaviour.USER_LOCAL, shows_date_only=True),
    field("dateOfBirth", Kind.DATE),
)
LOCAL = bind(column("seen", Kind.DATETIME, behaviour=DateBehaviour.USER_LOCAL), field("seenAt", Kind.DATETIME))
APART = bind(column("due", Kind.DATETIME, behaviour=DateBehaviour.ZONE_INDEPENDENT), field("dueAt", Kind.DATETIME))
APART_DAY = bind(column("due", Kind.DATETIME, behaviour=DateBehaviour.ZONE_INDEPENDENT), field("dueOn", Kind.DATE))
EDM_DATE = bind(column("day", Kind.DATE, behaviour=DateBehaviour.DATE_ONLY), field("dayOn", Kind.DATE))
MONEY = bind(column("revenue", Kind.MONEY, precision=2), field("annualRevenue", Kind.MONEY))
ALLOWED = (Option(0, "Allow"), Option(1, "Do Not Allow"))
TWO_OPTIONS = bind(column("donotfax", Kind.BOOLEAN, options=ALLOWED), field("noFax", Kind.TEXT))
MAPPED = bind(
    column("src", Kind.CHOICE, options=(Option(1, "Web"), Option(2, "Fair"))), field("s"), options={"2": "Expo"}
)
OWNER = {"id": "5f1d", "table": "systemuser", "name": " Ada Byron "}


@pytest.mark.parametrize(
    ("bound", "d", "m"),
    [
        (kinds(Kind.TEXT), " Head of\r\nSales ", "Head of\nSales"),
        (kinds(Kind.TEXT), "", None),
        (kinds(Kind.TEXT), "   ", ""),
        (kinds(Kind.MEMO), "a\rb", "a\nb"),
        (kinds(Kind.EMAIL, Kind.EMAIL), "Ida@Fjord.EXAMPLE ", "ida@fjord.example"),
        (kinds(Kind.TEXT, Kind.EMAIL), "Ida@x.example", "ida@X.example"),
        (kinds(Kind.PHONE, Kind.PHONE), "+49 30 1", "+49 30 1"),
        (kinds(Kind.URL, Kind.URL), "http://a.example", "http://a.example"),
        (kinds(Kind.INTEGER, Kind.INTEGER), 200, 200),
        (kinds(Kind.INTEGER), 200, "200"),
        (kinds(Kind.INTEGER, Kind.DECIMAL), 5, "5.0"),
        (kinds(Kind.TEXT, Kind.INTEGER), "007", 7),
        (MONEY, "5000000.0000", "5000000"),
        (MONEY, "5000000.0000", 5000000),
        (MONEY, "12.5000", "12.499999"),
        (MONEY, "0.0000", "-0.001"),
        (kinds(Kind.DECIMAL), "1.50", "1.5"),
        (kinds(Kind.BOOLEAN, Kind.BOOLEAN), None, False),
        (kinds(Kind.BOOLEAN, Kind.BOOLEAN), True, "True"),
        (kinds(Kind.BOOLEAN, Kind.BOOLEAN), False, "0"),
        (kinds(Kind.BOOLEAN), True, "yes"),
        (kinds(Kind.BOOLEAN), None, ""),
        (TWO_OPTIONS, True, "Do not allow"),
        (TWO_OPTIONS, False, "ALLOW"),
        (kinds(Kind.TEXT, Kind.BOOLEAN), None, False),
        (EDM_DATE, "1984-11-30", "1984-11-30"),
        (LOCAL_DAY, "1984-11-29T23:00:00Z", "1984-11-30"),
        (LOCAL_DAY, "1984-06-29T22:00:00Z", "1984-06-30"),
        (LOCAL, "2026-03-04T09:15:42Z", "2026-03-04T09:15:42.731Z"),
        (LOCAL, "2026-03-04T09:15:42Z", "2026-03-04T09:15:42+0000"),
        (LOCAL, "2026-03-04T09:15:42Z", "2026-03-04T09:15:42Z+0000"),
        (LOCAL, "2026-03-04T09:15:42Z", "2026-03-04T01:15:42-08:00"),
        (APART, "2026-03-04T09:15:42Z", "2026-03-04T09:15:42Z"),
        (APART_DAY, "2026-03-04T23:30:00Z", "2026-03-04"),
        (kinds(Kind.CHOICE), 2, "trade show "),
        (kinds(Kind.CHOICE), None, None),
        (MAPPED, 2, "EXPO"),
        (MAPPED, 1, "web"),
        (kinds(Kind.MULTICHOICE), "3,1", "word of mouth;Web"),
        (kinds(Kind.STATE), 1, "Web"),
        (kinds(Kind.OWNER), OWNER, "Ada Byron"),
        (kinds(Kind.LOOKUP), None, ""),
        (kinds(Kind.GUID), "5F1D8F6E-40F1-EE11-A1FD-000D3AB1C001", "{5f1d8f6e-40f1-ee11-a1fd-000d3ab1c001}"),
    ],
)
def test_values_that_mean_the_same_are_equal(bound, d, m):
    assert comparable(bound, D, d) == comparable(bound, M, m)


@pytest.mark.parametrize(
    ("bound", "d", "m"),
    [
        (kinds(Kind.TEXT), "a", "A"),
        (kinds(Kind.TEXT), "a b", "a  b"),
        (kinds(Kind.INTEGER), 5, "five"),
        (MONEY, "12.50", "12.51"),
        (kinds(Kind.BOOLEAN), None, "false"),
        (kinds(Kind.CHOICE), 1, "Trade Show"),
        (kinds(Kind.CHOICE), 9, "9"),
        (APART_DAY, "2026-03-04T23:30:00Z", "2026-03-05"),
        (LOCAL, "2026-03-04T09:15:42Z", "2026-03-04T09:15:43Z"),
        (LOCAL, "2026-03-04T09:15:42Z", "yesterday"),
    ],
)
def test_values_that_differ_stay_different(bound, d, m):
    assert comparable(bound, D, d) != comparable(bound, M, m)


@pytest.mark.parametrize(
    ("bound", "to", "value", "raw"),
    [
        (kinds(Kind.TEXT), M, "Renée 🎉", "Renée 🎉"),
        (kinds(Kind.INTEGER), D, "200", 200),
        (kinds(Kind.INTEGER), M, "200", "200"),
        (kinds(Kind.INTEGER, Kind.INTEGER), M, "200", 200),
        (MONEY, D, "12.345", "12.35"),
        (MONEY, M, "12.3", "12.3"),
        (kinds(Kind.BOOLEAN, Kind.BOOLEAN), D, False, False),
        (kinds(Kind.BOOLEAN), M, True, "true"),
        (TWO_OPTIONS, M, True, "Do Not Allow"),
        (kinds(Kind.TEXT, Kind.BOOLEAN), D, True, "true"),
        (EDM_DATE, D, "1984-11-30", "1984-11-30"),
        (LOCAL_DAY, D, "1984-11-30", "1984-11-29T23:00:00Z"),
        (LOCAL_DAY, M, "1984-11-30", "1984-11-30"),
        (LOCAL, D, "2026-03-04T09:15:42Z", "2026-03-04T09:15:42Z"),
        (APART_DAY, D, "2026-03-04", "2026-03-04T00:00:00Z"),
        (kinds(Kind.CHOICE), D, "trade show", 2),
        (kinds(Kind.CHOICE), M, "trade show", "Trade Show"),
        (MAPPED, M, "expo", "Expo"),
        (MAPPED, D, "expo", 2),
        (kinds(Kind.MULTICHOICE), D, "web; word of mouth", "1,3"),
        (kinds(Kind.MULTICHOICE), M, "web; word of mouth", "Web; Word of Mouth"),
        (kinds(Kind.OWNER), M, "Ada Byron", "Ada Byron"),
        (kinds(Kind.TEXT), D, None, None),
    ],
)
def test_outgoing_raw_values(bound, to, value, raw):
    out = outgoing(bound, to, value)
    assert out.raw == raw
    assert out.comparable == comparable(bound, to, raw)


def limited(**limits):
    return bind(column("jobtitle", **limits), field("title", max_length=255))


@pytest.mark.parametrize(
    ("bound", "to", "value", "code"),
    [
        (kinds(Kind.CHOICE), D, "billboard", Cause.UNKNOWN_OPTION),
        (kinds(Kind.CHOICE), M, "option 9", Cause.UNKNOWN_OPTION),
        (kinds(Kind.MULTICHOICE), D, "web; billboard", Cause.UNKNOWN_OPTION),
        (kinds(Kind.INTEGER), D, "1.5", Cause.WRONG_TYPE),
        (kinds(Kind.INTEGER), D, "lots", Cause.WRONG_TYPE),
        (kinds(Kind.INTEGER, Kind.INTEGER), M, "2147483648", Cause.OUT_OF_RANGE),
        (bind(column("n", Kind.INTEGER, minimum=0, maximum=9), field("m", Kind.INTEGER)), D, "10", Cause.OUT_OF_RANGE),
        (kinds(Kind.BOOLEAN), D, "maybe", Cause.WRONG_TYPE),
        (LOCAL, D, "yesterday", Cause.WRONG_TYPE),
        (LOCAL, D, "1700-01-01T00:00:00Z", Cause.OUT_OF_RANGE),
        (limited(max_length=5), D, "abcdef", Cause.TOO_LONG),
        (limited(max_length=5), D, "abc🎉🎉", Cause.TOO_LONG),
        (bind(there=field("notes", max_bytes=5)), M, "ééé", Cause.TOO_LONG),
        (kinds(Kind.TEXT), D, "a\x00b", Cause.ILLEGAL_CHARACTERS),
        (kinds(Kind.TEXT), M, "a\x1fb", Cause.ILLEGAL_CHARACTERS),
        (kinds(Kind.TEXT), M, "a\ud800b", Cause.ILLEGAL_CHARACTERS),
        (kinds(Kind.EMAIL, Kind.EMAIL), M, "zoë@x.example", Cause.NON_ASCII_EMAIL),
        (kinds(Kind.EMAIL, Kind.EMAIL), D, "not an address", Cause.MALFORMED_EMAIL),
        (limited(required=Required.APPLICATION), D, None, Cause.REQUIRED_EMPTY),
        (limited(updatable=False), D, "x", Cause.READ_ONLY),
    ],
)
def test_what_cannot_be_sent_says_why(bound, to, value, code):
    with pytest.raises(Unconvertible) as caught:
        outgoing(bound, to, value)
    assert caught.value.code is code


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("there", [Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.DATE, Kind.DATETIME, Kind.EMAIL])
@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        "x",
        7,
        True,
        {"id": "1", "table": "t", "name": None},
        "9" * 60,
        "0001-01-01",
        "9999-12-31T23:59:59-12:00",
        "Z",
        ";",
        "1,x",
    ],
)
def test_no_value_crashes_a_conversion(kind, there, raw):
    bound = kinds(kind, there, shorten=True)
    for side in Side:
        try:
            value = comparable(bound, side, raw)
        except Unconvertible:
            continue
        for to in Side:
            try:
                out = outgoing(bound, to, value)
            except Unconvertible:
                continue
            assert comparable(bound, to, out.raw) == out.comparable


@pytest.mark.parametrize(
    ("bound", "side", "raw"),
    [
        (kinds(Kind.TEXT), D, {"id": "1", "table": "t", "name": "x"}),
        (kinds(Kind.INTEGER), M, True),
        (kinds(Kind.CHOICE), D, True),
        (kinds(Kind.DATE, Kind.DATE), D, 7),
        (kinds(Kind.BOOLEAN), D, {"id": "1", "table": "t", "name": "x"}),
        (kinds(Kind.LOOKUP), D, {"id": "1", "table": "t", "name": None}),
    ],
)
def test_a_wrong_json_type_is_unconvertible(bound, side, raw):
    with pytest.raises(Unconvertible):
        comparable(bound, side, raw)


def test_shortening_is_off_unless_allowed_and_never_splits_a_character():
    tight = bind(column("jobtitle", max_length=5), field("notes", max_bytes=5), shorten=True)
    assert outgoing(tight, D, "abc🎉🎉").raw == "abc🎉"
    assert outgoing(tight, D, "abcd  efg").raw == "abcd"
    assert outgoing(tight, M, "aéééé").raw == "aéé"
    assert same(tight, "abcdefgh", "abcde")
    assert not same(tight, "abcdefgh", "abcdx")


def test_a_number_or_address_is_never_cut():
    narrow = bind(column("n", Kind.INTEGER), field("m", max_length=2), shorten=True)
    with pytest.raises(Unconvertible):
        outgoing(narrow, M, "12345")


def test_rounding_to_a_whole_number_needs_leave():
    assert outgoing(kinds(Kind.DECIMAL, Kind.INTEGER, shorten=True), M, "2.5").raw == 3
    with pytest.raises(Unconvertible):
        outgoing(kinds(Kind.DECIMAL, Kind.INTEGER), M, "2.5")


@pytest.mark.parametrize("kind", [Kind.LOOKUP, Kind.OWNER, Kind.CUSTOMER, Kind.STATE, Kind.STATUS])
def test_some_kinds_travel_to_marketo_only(kind):
    assert travels(kinds(kind)) == {M}


def test_travels_follows_direction_and_columns():
    plain = bind()
    assert travels(plain) == {D, M}
    assert travels(bind(direction=Direction.TO_MARKETO)) == {M}
    assert travels(bind(direction=Direction.TO_DYNAMICS)) == {D}
    assert travels(replace(plain, column=column(computed=True))) == {M}
    assert travels(replace(plain, column=column(updatable=False))) == {M}
    assert travels(replace(plain, field=field(updatable=False))) == {D}
    assert travels(replace(plain, field=field(crm_managed=True))) == {D}
