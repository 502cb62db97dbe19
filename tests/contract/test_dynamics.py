"""What only Dynamics promises: tracked reads, versions, owners, duplicate detection."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import cast

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Create, Page, Status, Update
from syncadmin.connectors.dynamics.connector import Dynamics
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Record, Ref, Table
from syncadmin.engine.schema import Kind, Required
from tests.contract.world import DynamicsSystem, System, later

COLUMNS = ["lastname", "jobtitle", "ownerid", "statecode"]


def whole(connector: Dynamics, table: Table = Table.LEAD) -> tuple[list[Page], dict[Ref, Record]]:
    pages = [connector.full_read(table, COLUMNS)]
    while pages[-1].more:
        pages.append(connector.full_read(table, COLUMNS, pages[-1].cursor))
    return pages, {record.ref: record for page in pages for record in page.records}


def news(connector: Dynamics, cursor: str) -> tuple[dict[Ref, Record], set[Ref], str]:
    records: dict[Ref, Record] = {}
    deleted: set[Ref] = set()
    while True:
        page = connector.changes(Table.LEAD, COLUMNS, cursor)
        records |= {record.ref: record for record in page.records}
        deleted |= set(page.deleted)
        cursor = page.cursor
        if not page.more:
            return records, deleted, cursor


def test_every_kind_of_column_of_lead_and_contact_is_known(dynamics: System) -> None:
    for table in (Table.LEAD, Table.CONTACT):
        columns = dynamics.connect().schema(table).columns
        assert columns["ownerid"].kind is Kind.OWNER
        assert set(columns["ownerid"].targets) >= {"systemuser", "team"}
        assert columns["statecode"].options
        assert columns["lastname"].required in set(Required)
        assert columns["fullname"].computed
        assert not columns["createdon"].updatable
        assert columns["createdon"].behaviour is not None
        assert columns["donotemail"].options
        assert columns["description"].kind is Kind.MEMO
        assert not any(name.endswith("yominame") for name in columns)
    money = dynamics.connect().schema(Table.LEAD).columns["revenue"]
    assert money.kind is Kind.MONEY
    assert money.precision is not None
    assert money.maximum is not None


def test_a_full_read_in_small_pages_sees_every_record_once(dynamics: DynamicsSystem) -> None:
    connector = dynamics.connect(page_size=3)
    made = {dynamics.make(connector) for _ in range(8)}
    pages, records = whole(connector)
    assert made <= set(records)
    if not dynamics.real:
        assert [len(page.records) for page in pages] == [3, 3, 2]
    assert len(records) == sum(len(page.records) for page in pages)
    assert all(record.version.startswith('W/"') and record.modified_at for record in records.values())
    owner = records[min(made)].values["ownerid"]
    assert isinstance(owner, dict)
    assert owner["table"] == "systemuser"
    assert owner["name"]


def test_changes_bring_new_changed_and_deleted_records_once(dynamics: DynamicsSystem) -> None:
    connector = dynamics.connect(page_size=2)
    changed, deleted, untouched = (dynamics.make(connector) for _ in range(3))
    cursor = whole(connector)[0][-1].cursor
    later(dynamics, minutes=1)
    fresh = dynamics.make(connector)
    dynamics.change(connector, changed, jobtitle="one")
    dynamics.change(connector, changed, jobtitle="two")
    dynamics.erase(deleted)
    records, gone, after = news(connector, cursor)
    assert {fresh, changed} <= set(records)
    assert untouched not in records
    assert records[changed].values["jobtitle"] == "two"
    assert deleted in gone
    assert deleted not in records
    replayed = news(connector, cursor)
    assert (set(replayed[0]), replayed[1]) == (set(records), gone)
    if not dynamics.real:
        assert news(connector, after)[:2] == ({}, set())


def test_a_change_between_two_pages_of_a_full_read_is_not_missed(dynamics: DynamicsSystem) -> None:
    connector = dynamics.connect(page_size=2)
    refs = [dynamics.make(connector) for _ in range(5)]
    page = connector.full_read(Table.LEAD, COLUMNS)
    for ref in refs:
        dynamics.change(connector, ref, jobtitle="changed while reading")
    seen = {record.ref: record for record in page.records}
    while page.more:
        page = connector.full_read(Table.LEAD, COLUMNS, page.cursor)
        seen |= {record.ref: record for record in page.records}
    seen |= news(connector, page.cursor)[0]
    assert {seen[ref].values["jobtitle"] for ref in refs} == {"changed while reading"}


@pytest.mark.parametrize("token", ["nonsense", "4472188%2101%2f01%2f1990%2000%3a00%3a00", ""])
def test_an_unusable_delta_link_is_an_expired_cursor(dynamics: System, token: str) -> None:
    connector = cast(Dynamics, dynamics.connect())
    link = connector.full_read(Table.LEAD, ["lastname"]).cursor
    if "deltatoken=" not in link:
        link = link.partition("?")[0] + "?$select=lastname&$deltatoken=x"
    with pytest.raises(errors.CursorExpired):
        connector.changes(Table.LEAD, ["lastname"], link.partition("deltatoken=")[0] + "deltatoken=" + token)


def test_a_delta_link_that_grew_old_is_an_expired_cursor(dynamics: System) -> None:
    connector = cast(Dynamics, dynamics.connect())
    if dynamics.real:
        assert int(connector.identity().details["expirechangetrackingindays"]) >= 0
        return
    cursor = whole(connector)[0][-1].cursor
    later(dynamics, days=int(connector.identity().details["expirechangetrackingindays"]) + 1)
    with pytest.raises(errors.CursorExpired):
        connector.changes(Table.LEAD, COLUMNS, cursor)


def test_records_modified_since_come_oldest_first_and_in_pages(dynamics: DynamicsSystem) -> None:
    connector = dynamics.connect(page_size=2)
    old = dynamics.make(connector)
    later(dynamics, minutes=10)
    since = dynamics.clock()
    refs = []
    for _ in range(3):
        later(dynamics, seconds=5)
        refs.append(dynamics.make(connector))
    page = connector.modified_since(Table.LEAD, COLUMNS, since - timedelta(seconds=1))
    found = list(page.records)
    while page.more:
        page = connector.modified_since(Table.LEAD, COLUMNS, since, page.cursor)
        found += page.records
    ours = [record.ref for record in found if record.ref in refs]
    if not dynamics.real:
        assert ours == refs
        assert old not in {record.ref for record in found}
    assert set(ours) == set(refs)


def test_a_write_against_an_old_version_is_stale_and_changes_nothing(dynamics: System) -> None:
    connector = dynamics.connect()
    ref = dynamics.make(connector)
    version = dynamics.read(connector, ref).version
    first = connector.update([Update(ref, {"jobtitle": "ours"}, version)])[0]
    assert first.status is Status.UPDATED
    assert first.version == dynamics.read(connector, ref).version != version
    assert connector.update([Update(ref, {"jobtitle": "late"}, version)])[0].status is Status.STALE
    assert dynamics.read(connector, ref).values["jobtitle"] == "ours"
    assert connector.update([Update(ref, {"jobtitle": "again"}, first.version)])[0].status is Status.UPDATED


def test_a_deleted_record_is_gone_by_id_and_a_stranger_is_not_found(dynamics: System) -> None:
    connector = dynamics.connect()
    here, gone = dynamics.make(connector), dynamics.make(connector)
    dynamics.erase(gone)
    found = connector.fetch([here, gone, dynamics.nobody], ["lastname"])
    assert [record.ref for record in found.records] == [here]
    assert gone in found.gone
    assert len(found.gone) == 2
    assert connector.fetch([gone], ["lastname"]).gone == (gone,)


def test_one_bad_row_among_many_creates_is_refused_alone(dynamics: System) -> None:
    connector = dynamics.connect()
    items = (
        [dynamics.new() for _ in range(4)] + [dynamics.new(jobtitle="x" * 5000)] + [dynamics.new() for _ in range(4)]
    )
    outcomes = connector.create(items)
    dynamics.made.extend(outcome.ref for outcome in outcomes if outcome.ref)
    assert [outcome.status for outcome in outcomes] == [Status.CREATED] * 4 + [Status.REFUSED] + [Status.CREATED] * 4
    assert (outcomes[4].cause, outcomes[4].column) == (Cause.TOO_LONG, "jobtitle")
    refs = [item.ref for item in items if item.ref]
    assert {record.ref for record in connector.fetch(refs, ["lastname"]).records} == {*refs} - {refs[4]}


def test_refusals_name_cause_and_column(dynamics: System) -> None:
    connector = dynamics.connect()
    ref = dynamics.make(connector)
    values = [{"leadsourcecode": 987654}, {"numberofemployees": 2_000_000_000}, {"jobtitle": "x" * 5000}]
    outcomes = connector.update([Update(ref, value) for value in values])
    assert [(outcome.status, outcome.cause, outcome.column) for outcome in outcomes] == [
        (Status.REFUSED, Cause.UNKNOWN_OPTION, "leadsourcecode"),
        (Status.REFUSED, Cause.OUT_OF_RANGE, "numberofemployees"),
        (Status.REFUSED, Cause.TOO_LONG, "jobtitle"),
    ]


def test_money_comes_back_exact(dynamics: System) -> None:
    connector = dynamics.connect()
    ref = dynamics.make(connector, revenue="1250000.10")
    assert dynamics.read(connector, ref, "revenue").values["revenue"] == "1250000.1000"


def test_an_owner_is_set_and_an_unknown_or_disabled_one_refuses_its_row(dynamics: System) -> None:
    connector = cast(Dynamics, dynamics.connect())
    users = connector.users()
    able = next(user for user in users if not user.disabled and "@" in user.email)
    assert connector.users(email=able.email.upper())[0].id == able.id
    assert connector.users(id=able.id) == [able]
    assert connector.users(id=str(uuid.uuid4())) == []
    if dynamics.real:
        return  # a tenant's people are not given records
    ref = dynamics.make(connector, ownerid={"id": able.id, "table": "systemuser"})
    assert dynamics.read(connector, ref, "ownerid").values["ownerid"] == {
        "id": able.id,
        "table": "systemuser",
        "name": able.name,
    }
    disabled = next(user for user in users if user.disabled)
    owners = [str(uuid.uuid4()), disabled.id, able.id]
    outcomes = connector.create([dynamics.new(ownerid={"id": id, "table": "systemuser"}) for id in owners])
    assert [(outcome.status, outcome.cause) for outcome in outcomes] == [
        (Status.REFUSED, Cause.OWNER_UNKNOWN),
        (Status.REFUSED, Cause.OWNER_DISABLED),
        (Status.CREATED, ""),
    ]


def test_duplicate_detection_is_obeyed_only_when_asked_for(dynamics: System) -> None:
    if dynamics.real:
        return  # whether a rule is published is the tenant's own affair
    connector = cast(Dynamics, dynamics.connect())
    address = dynamics.address("twin")
    dynamics.make(connector, emailaddress1=address)
    twin = dynamics.new(emailaddress1=address.upper())
    outcome = connector.create([twin], detect_duplicates=True)[0]
    assert (outcome.status, outcome.ref) == (Status.DUPLICATE, None)
    assert connector.create([twin])[0].status is Status.CREATED


def test_the_right_to_write_is_checked_without_writing(dynamics: System) -> None:
    connector = cast(Dynamics, dynamics.connect())
    nobody = dynamics.nobody
    checks = {check.name: check.ok for check in connector.check(probe_id=nobody.id)}
    assert checks["Write leads"] is checks["Write contacts"] is True
    assert connector.fetch([nobody], ["lastname"]).gone == (nobody,)


def test_lookups_find_what_points_to_a_record(dynamics: System) -> None:
    connector = cast(Dynamics, dynamics.connect())
    contact = Create(Table.CONTACT, {"lastname": "Vik"}, Ref(Table.CONTACT, str(uuid.uuid4())))
    assert connector.create([contact])[0].status is Status.CREATED
    assert contact.ref
    dynamics.made.append(contact.ref)
    lead = dynamics.make(connector, parentcontactid={"id": contact.ref.id, "table": "contact"})
    found = connector.find(Table.LEAD, "parentcontactid", [contact.ref.id], ["lastname", "parentcontactid"])
    assert [record.ref for record in found] == [lead]
    pointed = found[0].values["parentcontactid"]
    assert isinstance(pointed, dict)
    assert (pointed["id"], pointed["table"]) == (contact.ref.id, "contact")
