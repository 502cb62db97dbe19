"""What every connector promises, in the words of ``connectors/contract.py``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Status, Update
from syncadmin.engine.records import Lane, Ref
from syncadmin.engine.schema import Kind
from tests.contract.world import System, later


def test_a_good_connection_has_no_red_check(system: System) -> None:
    checks = system.connect().check()
    assert [check for check in checks if check.ok is False] == []
    assert sum(check.ok is True for check in checks) >= 3
    assert len({check.name for check in checks}) == len(checks)


def test_identity_names_account_and_user(system: System) -> None:
    who = system.connect().identity()
    assert who.account
    assert who.user


def test_a_wrong_secret_is_refused_with_a_sentence_that_does_not_quote_it(system: System) -> None:
    with pytest.raises(errors.SignInRefused) as caught:
        system.connect(secret="utterly-wrong").identity()
    assert caught.value.who is errors.Who.ADMINISTRATOR
    assert len(caught.value.message) > 20
    assert "utterly-wrong" not in str(caught.value)


def test_a_wrong_secret_makes_red_checks_not_errors(system: System) -> None:
    checks = system.connect(secret="utterly-wrong").check()
    red = [check for check in checks if check.ok is False]
    assert red
    assert all(check.remedy for check in red)


def test_the_schema_knows_types_and_lengths(system: System) -> None:
    schema = system.connect().schema(system.table)
    assert schema.table is system.table
    assert schema.columns[system.email].kind is Kind.EMAIL
    assert schema.columns[system.number].kind is Kind.INTEGER
    assert schema.columns[system.last_name].max_length
    assert schema.columns[system.last_name].label
    assert all(name == column.name for name, column in schema.columns.items())


def test_what_was_created_can_be_fetched(system: System) -> None:
    connector = system.connect()
    name = "Ø’Neill “Zoë” 😀 & <b>"
    ref = system.make(connector, **{system.last_name: name, system.title: None})
    record = system.read(connector, ref)
    assert record.values[system.last_name] == name
    assert record.values[system.title] is None
    assert ref.table is system.table


def test_the_same_create_again_finds_the_record_there(system: System) -> None:
    connector = system.connect()
    item = system.new()
    first = connector.create([item])[0]
    assert first.status is Status.CREATED
    assert first.ref
    system.made.append(first.ref)
    again = connector.create([item])[0]
    assert again.status is Status.EXISTS


def test_people_are_found_by_address_whatever_its_letters(system: System) -> None:
    connector = system.connect()
    address = system.address("o'neill+news")
    ref = system.make(connector, **{system.email: address})
    other = system.make(connector, **{system.email: system.address("other")})
    found = connector.find(
        system.table, system.email, [address.upper(), system.address("nobody")], [system.email, system.last_name]
    )
    assert [record.ref for record in found] == [ref]
    assert str(found[0].values[system.email]).lower() == address
    assert found[0].values[system.last_name] == "Solheim"
    assert other != ref


def test_nobody_is_found_for_no_values(system: System) -> None:
    assert system.connect().find(system.table, system.email, [], [system.email]) == []


def test_an_update_changes_what_it_names_and_nothing_else(system: System) -> None:
    connector = system.connect()
    ref = system.make(connector, **{system.title: "Rigger"})
    system.change(connector, ref, **{system.title: "Fleet manager"})
    assert system.read(connector, ref).values == {system.last_name: "Solheim", system.title: "Fleet manager"}
    system.change(connector, ref, **{system.title: None})
    assert system.read(connector, ref).values == {system.last_name: "Solheim", system.title: None}


def test_each_outcome_stands_in_the_place_of_its_record(system: System) -> None:
    connector = system.connect()
    first, second = system.make(connector), system.make(connector)
    outcomes = connector.update(
        [
            Update(first, {system.title: "a"}),
            Update(system.nobody, {system.title: "b"}),
            Update(second, {system.number: "lots"}),
            Update(second, {system.title: "d"}),
        ]
    )
    assert [outcome.status for outcome in outcomes] == [
        Status.UPDATED,
        Status.GONE,
        Status.REFUSED,
        Status.UPDATED,
    ]
    assert outcomes[0].ref == first
    assert outcomes[2].cause == "wrong_type"
    assert outcomes[2].message
    assert system.read(connector, first).values[system.title] == "a"
    assert system.read(connector, second).values[system.title] == "d"


def test_an_update_of_a_deleted_record_says_gone_and_creates_nothing(system: System) -> None:
    connector = system.connect()
    ref = system.make(connector)
    system.erase(ref)
    later(system, minutes=5)
    assert connector.update([Update(ref, {system.title: "x"})])[0].status is Status.GONE
    assert connector.fetch([ref], [system.title]).records == ()


def test_many_records_are_written_and_read_in_any_number(system: System) -> None:
    connector = system.connect()
    count = 320 if not system.real else 5
    outcomes = []
    items = [system.new(**{system.title: f"No. {number}"}) for number in range(count)]
    for start in range(0, count, 300):
        outcomes += connector.create(items[start : start + 300])
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    refs = [outcome.ref for outcome in outcomes if outcome.ref]
    system.made.extend(refs)
    assert len(set(refs)) == count
    found = {record.ref: record.values[system.title] for record in connector.fetch(refs, [system.title]).records}
    assert [found[ref] for ref in refs] == [f"No. {number}" for number in range(count)]


def test_a_column_that_does_not_exist_is_never_read_as_empty(system: System) -> None:
    """Dynamics leaves it out, Marketo refuses the question and names it."""
    connector = system.connect()
    ref = system.make(connector)
    try:
        record = system.read(connector, ref, system.last_name, "nvk_never_was")
    except errors.Refused as refused:
        assert "nvk_never_was" in refused.message
    else:
        assert record.values == {system.last_name: "Solheim"}


def test_calls_are_accounted_and_end_with_their_deadline(system: System) -> None:
    connector = system.connect().for_work(Lane.BACKFILL, "contract")
    connector.find(system.table, system.email, ["a@b.example"], [system.email])
    assert (Lane.BACKFILL, "contract") in system.budget.calls
    calls = len(system.budget.calls)
    over = connector.for_work(Lane.LIVE, "webhook", system.clock() - timedelta(seconds=1))
    with pytest.raises(errors.DeadlineOver):
        over.find(system.table, system.email, ["a@b.example"], [system.email])
    assert {purpose for _, purpose in system.budget.calls[calls:]} <= {"webhook", "sign-in", "metadata"}


def test_a_token_that_ran_out_is_replaced(system: System) -> None:
    connector = system.connect()
    ref = system.make(connector)
    later(system, hours=3)
    assert system.read(connector, ref).values[system.last_name] == "Solheim"


def test_one_question_may_be_asked_twice(system: System) -> None:
    connector = system.connect()
    ref = system.make(connector)
    assert [record.ref for record in connector.fetch([ref, Ref(ref.table, ref.id)], [system.title]).records] == [ref]
