from __future__ import annotations

from decimal import Decimal

import pytest

from syncadmin.engine.causes import Cause
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Kind, Required, Schema, check, missing, utf16_length
from tests.engine.cast import SOURCES, bind, column, field

EMAIL = column("emailaddress1", Kind.EMAIL)
AMOUNT = column("revenue", Kind.MONEY, minimum=Decimal(0), maximum=Decimal("1000.5"))
SOURCE = column("leadsourcecode", Kind.CHOICE, options=SOURCES)
MANY = column("topics", Kind.MULTICHOICE, options=SOURCES)


@pytest.mark.parametrize(
    ("col", "raw", "code"),
    [
        (EMAIL, "ida@fjord.example", None),
        (EMAIL, "ida.k+x@mail.fjord.example", None),
        (EMAIL, "ida@fjord", Cause.MALFORMED_EMAIL),
        (EMAIL, "ida@@fjord.example", Cause.MALFORMED_EMAIL),
        (EMAIL, "ida fjord.example", Cause.MALFORMED_EMAIL),
        (EMAIL, "ida@fjord.", Cause.MALFORMED_EMAIL),
        (AMOUNT, "1000.5000", None),
        (AMOUNT, "1000.51", Cause.OUT_OF_RANGE),
        (AMOUNT, "-0.01", Cause.OUT_OF_RANGE),
        (AMOUNT, "much", Cause.WRONG_TYPE),
        (AMOUNT, True, Cause.WRONG_TYPE),
        (SOURCE, 3, None),
        (SOURCE, 4, Cause.UNKNOWN_OPTION),
        (MANY, "1,3", None),
        (MANY, "1,4", Cause.UNKNOWN_OPTION),
        (column(max_length=3), "äöü", None),
        (column(max_length=3), "a🎉🎉", Cause.TOO_LONG),
        (field(max_length=3), "a🎉🎉", None),
        (field(max_bytes=30_000), "é" * 15_001, Cause.TOO_LONG),
        (column(), "tab\tand\nline", None),
        (column(), "nul\x00", Cause.ILLEGAL_CHARACTERS),
        (column(), 7, Cause.WRONG_TYPE),
        (column(required=Required.APPLICATION), None, Cause.REQUIRED_EMPTY),
        (column(required=Required.SYSTEM), "", Cause.REQUIRED_EMPTY),
        (column(required=Required.RECOMMENDED), None, None),
        (column(updatable=False), "x", Cause.READ_ONLY),
    ],
)
def test_check(col, raw, code):
    problem = check(col, raw, creating=False)
    assert (problem and problem.code) == code


def test_a_create_looks_at_creatable_and_leaves_required_to_missing():
    assert check(column(creatable=False), "x", creating=True).code is Cause.READ_ONLY
    assert check(column(updatable=False), "x", creating=True) is None
    assert check(column(required=Required.APPLICATION), None, creating=True) is None


def test_missing_names_required_columns_and_their_source():
    last = column("lastname", required=Required.APPLICATION)
    columns = [last, column("subject", required=Required.APPLICATION), column("fax")]
    columns += [
        column("leadid", Kind.GUID, required=Required.SYSTEM),
        column("made", required=Required.SYSTEM, creatable=False),
    ]
    schema = Schema(Table.LEAD, {one.name: one for one in columns})
    found = missing(schema, {"subject": "x", "lastname": ""}, [bind(last, field("lastName")).pair])
    assert [(one.code, one.column, one.detail) for one in found] == [(Cause.LAST_NAME_MISSING, "lastname", "lastName")]
    assert [one.code for one in missing(schema, {"lastname": "K"}, [])] == [Cause.REQUIRED_MISSING]


def test_utf16_length():
    assert [utf16_length(text) for text in ("", "ä", "🎉", "a🎉b")] == [0, 1, 2, 4]
