"""What only Marketo is asked for beyond its feeds: keys that are taken, exact amounts, our own fields, extracts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import (
    ActivityType,
    Create,
    Extract,
    ExtractState,
    LogEntry,
    NewField,
    Status,
    Update,
)
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.engine.records import Raw, Ref, Table
from syncadmin.engine.schema import Kind
from tests.contract.world import MarketoSystem, later

GUID = NewField("dynPersonGuid", "Dynamics Person GUID", "string", "Key of the record in Dynamics")
DELETED = NewField("dynDeleted", "Dynamics is Deleted", "boolean")
KIND = ActivityType(
    "dynSync",
    "Dynamics 365 Sync",
    "Is Synced with Dynamics 365",
    "Was Synced with Dynamics 365",
    ("result", "Result"),
    (("crmEntity", "CRM Entity", "string"), ("errorMessage", "Error Message", "text")),
)


def token(marketo: MarketoSystem, connector: Marketo) -> str:
    found = connector.paging_token(marketo.clock() - timedelta(minutes=1))
    assert found
    return found


def changes(
    connector: Marketo, start: str, *fields: str
) -> tuple[list[tuple[str, str, str | None, str | None]], list[str]]:
    lines, created, more = [], [], True
    while more:
        page = connector.lead_changes(start, fields)
        lines += [(line.person, line.field, line.old, line.new) for line in page.lines]
        created += page.created
        start, more = page.token, page.more
    return lines, created


def finished(marketo: MarketoSystem, connector: Marketo, job: Extract) -> Extract:
    for _ in range(20):
        found = connector.extract(job.id)
        if found.state is ExtractState.COMPLETED:
            return found
        marketo.clock.sleep(60)
    raise AssertionError(f"The extract is still {found.state}.")


def test_a_repeated_write_of_the_same_value_is_no_change(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    ref = marketo.make(connector, title="Rigger")
    later(marketo, minutes=5)
    start = token(marketo, connector)
    marketo.change(connector, ref, title="Rigger")
    later(marketo, seconds=5)
    assert changes(connector, start, "title") == ([], [])


def test_a_token_that_never_was_is_an_expired_cursor(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    for ask in (connector.deleted, lambda cursor: connector.lead_changes(cursor, ["email"])):
        with pytest.raises(errors.CursorExpired):
            ask("NEVER")


def test_the_activity_feed_goes_on_where_it_stopped(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    page = connector.events(token(marketo, connector), with_lists=True)
    again = connector.events(page.token, with_lists=False)
    assert (again.merged, again.listed) == ((), ())


def test_an_address_that_is_taken_is_not_taken_twice(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    address = marketo.address("ida")
    marketo.make(connector, email=address)
    twice = [marketo.new(email=marketo.address("x")), marketo.new(email=address.upper())]
    created, exists = connector.create(twice)
    assert (created.status, exists.status, exists.cause) == (Status.CREATED, Status.EXISTS, "key_taken")
    assert created.ref
    marketo.made.append(created.ref)


def test_our_fields_are_made_once_and_then_found(marketo: MarketoSystem) -> None:
    if marketo.real:
        return  # fields and types of an account cannot be taken away again
    connector = marketo.connect()
    assert [each.status for each in connector.ensure_fields([GUID, DELETED])] == [Status.CREATED] * 2
    shouted = NewField(GUID.name.upper(), GUID.label, GUID.kind)
    (there,) = connector.ensure_fields([shouted])
    assert (there.status, there.column) == (Status.EXISTS, GUID.name)
    columns = connector.schema(Table.PERSON).columns
    assert (columns["dynPersonGuid"].kind, columns["dynDeleted"].kind) == (Kind.TEXT, Kind.BOOLEAN)
    assert columns["dynPersonGuid"].searchable
    assert columns["dynPersonGuid"].custom


def test_people_without_an_address_are_created_and_found_by_our_id(marketo: MarketoSystem) -> None:
    if marketo.real:
        return  # fields and types of an account cannot be taken away again
    connector = marketo.connect()
    connector.ensure_fields([GUID])
    values: dict[str, Raw] = {"dynPersonGuid": "7b0e4c52-3f5e-ef11-a4e5-000d3a7a11c2", "lastName": "Kallas"}
    first, again = (connector.create([Create(Table.PERSON, values)], lookup="dynPersonGuid")[0] for _ in range(2))
    assert (first.status, again.status) == (Status.CREATED, Status.EXISTS)
    found = connector.find(Table.PERSON, "dynPersonGuid", [str(values["dynPersonGuid"]).upper()], ["lastName"])
    assert [(record.ref, dict(record.values)) for record in found] == [(first.ref, {"lastName": "Kallas"})]


def test_results_are_written_into_the_activity_log(marketo: MarketoSystem) -> None:
    if marketo.real:
        return  # fields and types of an account cannot be taken away again
    connector = marketo.connect()
    type_id = connector.ensure_activity_type(KIND)
    assert connector.ensure_activity_type(KIND) == type_id
    ref = marketo.make(connector)
    entry = LogEntry(ref.id, marketo.clock(), type_id, "Failed", {"crmEntity": "lead", "errorMessage": "漢" * 60_000})
    lost = LogEntry(marketo.nobody.id, marketo.clock(), type_id, "Failed")
    assert [each.status for each in connector.log([entry, lost])] == [Status.CREATED, Status.GONE]


def test_a_value_of_the_wrong_type_costs_only_its_own_record(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    first, second = marketo.make(connector), marketo.make(connector)
    bad, good = connector.update([Update(first, {"numberOfEmployees": "lots"}), Update(second, {"title": "x"})])
    assert (bad.status, bad.cause, bad.column) == (Status.REFUSED, "wrong_type", "numberOfEmployees")
    assert bad.request_id
    assert good.status is Status.UPDATED


def test_amounts_come_back_as_exact_text(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    ref = marketo.make(connector, annualRevenue="250000")
    assert marketo.read(connector, ref, "annualRevenue").values == {"annualRevenue": "250000"}


def test_an_extract_holds_the_same_people_as_a_read(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    fields = ["email", "lastName", "mktoPersonNotes", "doNotCall", "annualRevenue"]
    notes = 'He said "yes",\nthen: no'
    refs = [marketo.make(connector, mktoPersonNotes=notes, doNotCall=True, annualRevenue="12.5") for _ in range(3)]
    later(marketo, minutes=5)
    now = marketo.clock()
    job = connector.start_extract(fields, now - timedelta(days=1), now + timedelta(minutes=1))
    done = finished(marketo, connector, job)
    rows = list(connector.read_extract(done, fields))
    extracted = {record.ref: dict(record.values) for record, _ in rows}
    read = {record.ref: dict(record.values) for record in connector.fetch(refs, fields).records}
    assert {ref: extracted[ref] for ref in refs} == read
    assert len(rows) == done.records
    assert list(connector.read_extract(done, fields, rows[0][1])) == rows[1:]


def test_a_file_is_not_there_before_the_job_is_done(marketo: MarketoSystem) -> None:
    connector = marketo.connect()
    now = marketo.clock()
    job = connector.start_extract(["email"], now - timedelta(days=1), now)
    assert job.state in (ExtractState.CREATED, ExtractState.QUEUED)
    with pytest.raises(errors.Unavailable):
        list(connector.read_extract(job, ["email"]))
    assert connector.enqueue(job.id).id == job.id
    connector.cancel(job.id)
    assert connector.extract(job.id).state is ExtractState.CANCELLED


def test_a_person_nobody_knows_is_absent_and_not_gone(marketo: MarketoSystem) -> None:
    fetched = marketo.connect().fetch([marketo.nobody, Ref(Table.PERSON, "1999999999")], ["email"])
    assert (fetched.records, fetched.gone) == ((), ())
