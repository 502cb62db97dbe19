from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Status
from syncadmin.connectors.dynamics.refusals import judge, refusal
from syncadmin.connectors.dynamics.responses import outcome
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw, Ref, Table
from tests.connectors.dynamics.tenant import IDA, OLA

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEAD = Ref(Table.LEAD, IDA)
READ, WRITE = Request("GET", "api/data/v9.2/leads"), Request("POST", "api/data/v9.2/leads")
PAYLOAD = (
    "Error identified in Payload provided by the user for Entity :'leads', For more information on this error please "
    "follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
)


def answer(status: int, code: str, message: str, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps({"error": {"code": code, "message": message}}).encode())


# Rows of section 22 of the protocol: status, code, text -> what it means for a record, and the column it names.
ROWS = [
    (400, "0x80044331", "A validation error occurred.  The length of the 'subject' attribute of the 'lead' entity exceeded the maximum allowed length of '300'.", Status.REFUSED, Cause.TOO_LONG, "subject"),
    (400, "0x8004432f", "A validation error occurred. The value 2000000 of 'numberofemployees' on record of type 'lead' is outside the valid range.", Status.REFUSED, Cause.OUT_OF_RANGE, "numberofemployees"),
    (400, "0x80044330", "A validation error occurred. The value -5 of 'revenue' on record of type 'lead' is outside the valid range.", Status.REFUSED, Cause.OUT_OF_RANGE, "revenue"),
    (400, "0x80040317", "A validation error occurred. The value -5 of 'revenue' on record of type 'lead' is outside the valid range.", Status.REFUSED, Cause.OUT_OF_RANGE, "revenue"),
    (400, "0x8004431A", "A validation error occurred. The value 99 of 'leadsourcecode' on record of type 'lead' is outside the valid range. Accepted Values: 1,2", Status.REFUSED, Cause.UNKNOWN_OPTION, "leadsourcecode"),
    (400, "0x80048d19", PAYLOAD + "Microsoft.OData.ODataException: Cannot convert the literal 'lots' to the expected type 'Edm.Int32'. ---> System.FormatException: Input string was not in a correct format.\r\n   at System.X", Status.REFUSED, Cause.WRONG_TYPE, "numberofemployees"),
    (400, "0x80048d19", PAYLOAD + "Microsoft.Crm.CrmException: Invalid property 'foo' was found in entity 'Microsoft.Dynamics.CRM.lead'. ---> x", Status.REFUSED, Cause.COLUMN_MISSING, "foo"),
    (400, "0x0", "Invalid property 'foo' was found in entity 'Microsoft.Dynamics.CRM.lead'.", Status.REFUSED, Cause.COLUMN_MISSING, "foo"),
    (400, "0x80048d19", PAYLOAD + "An undeclared property 'customerid' which only has property annotations in the payload but no property value was found in the payload.", Status.REFUSED, Cause.COLUMN_MISSING, "customerid"),
    (400, "0x80060888", "Could not find a property named '_x_value' on type 'Microsoft.Dynamics.CRM.lead'.", Status.REFUSED, Cause.COLUMN_MISSING, "x"),
    (400, "0x80040200", "Required field 'lastname' is missing.", Status.REFUSED, Cause.REQUIRED_MISSING, "lastname"),
    (400, "0x80040203", "Invalid Argument", Status.REFUSED, Cause.REQUIRED_MISSING, ""),
    (400, "0x80040239", "The date-time format is invalid.", Status.REFUSED, Cause.WRONG_TYPE, ""),
    (400, "0x80040278", "The field 'jobtitle' contains one or more invalid characters.", Status.REFUSED, Cause.ILLEGAL_CHARACTERS, "jobtitle"),
    (400, "0x80048408", f"7 is not a valid status code for state code LeadState.Open on lead with Id {IDA}.", Status.REFUSED, Cause.BAD_STATUS, ""),
    (404, "0x80040217", f"Entity 'lead' With Id = {IDA} Does Not Exist", Status.GONE, Cause.NOT_FOUND, ""),
    (404, "", f"lead With Id = {IDA} Does Not Exist", Status.GONE, Cause.NOT_FOUND, ""),
    (404, "0x80040217", f"Entity 'systemuser' With Id = {OLA} Does Not Exist", Status.REFUSED, Cause.OWNER_UNKNOWN, "ownerid"),
    (412, "0x80040237", "A record with matching key values already exists.", Status.EXISTS, Cause.KEY_TAKEN, ""),
    (412, "0x80060892", "A record that has the attribute values Marketo id already exists. The entity key Marketo id requires that this set of attributes contains unique values.", Status.EXISTS, Cause.KEY_TAKEN, ""),
    (412, "0x80040333", "A record was not created or updated because a duplicate of the current record already exists.", Status.DUPLICATE, Cause.DUPLICATE_FOUND, ""),
    (500, "0x80040333", "A record was not created or updated because a duplicate of the current record already exists.", Status.DUPLICATE, Cause.DUPLICATE_FOUND, ""),
    (412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.", Status.STALE, Cause.UNKNOWN, ""),
    (412, "", "The version of the existing record doesn't match the RowVersion property provided.", Status.STALE, Cause.UNKNOWN, ""),
    (412, "", "A record with matching key values already exists.", Status.EXISTS, Cause.KEY_TAKEN, ""),
    (403, "0x80040220", "Principal user (Id=5f1d8f6e, type=8) is missing prvWriteLead privilege (Id=x) on OTC=4 for entity 'lead'.", Status.REFUSED, Cause.PERMISSION, ""),
    (403, "0x80040220", "Principal with id x does not have WriteAccess right(s) for record with id y of entity lead", Status.REFUSED, Cause.PERMISSION_RECORD, ""),
    (403, "0x80048306", "Principal with id x does not have WriteAccess right(s) for record with id y of entity lead", Status.REFUSED, Cause.PERMISSION_RECORD, ""),
    (403, "0x8004f507", "Update not permitted on a secured column", Status.REFUSED, Cause.PERMISSION_COLUMN, ""),
    (403, "0x80040225", f"The specified user(Id = {OLA}) is disabled.", Status.REFUSED, Cause.OWNER_DISABLED, "ownerid"),
    (403, "0x80040225", f"The specified user(Id = {IDA}) is disabled.", Status.REFUSED, Cause.PERMISSION, ""),
    (403, "0x80040231", "The owner lacks the read right.", Status.REFUSED, Cause.PERMISSION_RECORD, "ownerid"),
    (400, "0x80040230", "The record is inactive.", Status.REFUSED, Cause.INACTIVE_RECORD, ""),
    (400, "0x8004022e", "read-only", Status.REFUSED, Cause.INACTIVE_RECORD, ""),
    (400, "0x80040265", "Cannot convert: our policy forbids blue. It does not exist.", Status.REFUSED, Cause.REFUSED_BY_PLUGIN, ""),
    (500, "0x80040224", "plug-in crashed", Status.LATER, Cause.REFUSED_BY_PLUGIN, ""),
    (429, "0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds.", Status.LATER, Cause.THROTTLED, ""),
    (500, "0x80044151", "Generic SQL error.", Status.LATER, Cause.UNAVAILABLE, ""),
    (500, "0x80040216", "An unexpected error occurred.", Status.LATER, Cause.UNAVAILABLE, ""),
    (413, "0x8004418a", "Request message length is too large.", Status.REFUSED, Cause.TOO_LARGE, ""),
    (503, "", "", Status.LATER, Cause.UNAVAILABLE, ""),
    (400, "0x8badf00d", "Something new.", Status.REFUSED, Cause.UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "text", "meaning", "cause", "column"), ROWS)
def test_every_documented_code_has_its_meaning(
    status: int, code: str, text: str, meaning: Status, cause: Cause, column: str
) -> None:
    values: dict[str, Raw] = {"numberofemployees": "lots", "ownerid": {"id": OLA, "table": "systemuser"}}
    found = outcome(answer(status, code, text), LEAD, Status.UPDATED, values)
    assert (found.status, found.cause, found.column) == (meaning, cause, column)


def test_the_text_shown_is_without_stack_trace() -> None:
    text = (
        PAYLOAD
        + "Microsoft.OData.ODataException: Cannot convert the literal 'lots'. ---> System.F: x\r\n   at System.X"
    )
    assert refusal(answer(400, "0x80048d19", text)).message == "Cannot convert the literal 'lots'."


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('{"error":{"code":"","message":"m","innererror":{"message":"i"}}}', "", "m"),
        ('{"Message":"m"}', "", "m"),
        ('{"Message":"m","ExceptionMessage":"e","ErrorCode":"0x80040216"}', "0x80040216", "e"),
        ("", "", "Dynamics answered with HTTP 500."),
        ("<html>The size of the request headers is too long</html>", "", "Dynamics answered with HTTP 500."),
        ("[1]", "", "Dynamics answered with HTTP 500."),
        ('{"error":"text"}', "", "Dynamics answered with HTTP 500."),
    ],
)
def test_other_shapes_of_an_error_are_tolerated(body: str, code: str, message: str) -> None:
    found = refusal(Answer(500, {"req_id": "r-1"}, body.encode()))
    assert (found.code, found.message, found.request_id) == (code, message, "r-1")


@pytest.mark.parametrize(
    ("status", "code", "request_", "kind"),
    [
        (400, "0x80044331", WRITE, errors.Refused),
        (401, "", READ, errors.SignInRefused),
        (403, "0x80040220", READ, errors.PermissionMissing),
        (403, "0x80072560", READ, errors.PermissionMissing),
        (400, "0x80041d1f", READ, errors.PermissionMissing),
        (400, "0x80044352", READ, errors.CursorExpired),
        (410, "", READ, errors.Refused),
        (429, "0x80072321", WRITE, errors.Throttled),
        (500, "0x80072326", WRITE, errors.Throttled),
        (500, "0x80044150", WRITE, errors.Unavailable),
        (500, "0x80040265", WRITE, errors.Refused),
        (500, "0x80040333", WRITE, errors.Refused),
        (503, "0x80072323", WRITE, errors.Unavailable),
        (501, "", WRITE, errors.Refused),
        (504, "", WRITE, errors.NoAnswer),
        (504, "", READ, errors.Unavailable),
        (400, "0x8004418a", WRITE, errors.TooLarge),
        (413, "", WRITE, errors.TooLarge),
    ],
)
def test_a_refused_call_becomes_its_error(
    status: int, code: str, request_: Request, kind: type[errors.ConnectorError]
) -> None:
    found = judge(request_, answer(status, code, "m", req_id="r-1"), NOW)
    assert type(found) is kind
    assert found.code == (code or str(status))
    assert found.request_id == "r-1"


def test_the_missing_application_user_comes_with_a_remedy() -> None:
    found = judge(READ, answer(403, "0x80072560", "The user is not a member of the organization."), NOW)
    assert found is not None
    assert "application user" in found.message


def test_tracking_switched_off_is_for_the_administrator() -> None:
    found = judge(READ, answer(400, "0x80072491", "Entity lead isn't enabled for change tracking."), NOW)
    assert type(found) is errors.Refused
    assert found.who is errors.Who.ADMINISTRATOR


def test_advice_is_read_into_the_error() -> None:
    found = judge(READ, Answer(429, {"retry-after": "37"}, b""), NOW)
    assert found is not None
    assert found.until == NOW + timedelta(seconds=37)
