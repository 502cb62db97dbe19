"""What only Marketo promises: feeds by paging token, deletes by notice, our own fields and activities."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from syncadmin.connectors.contract import ActivityType, Line, LogEntry, NewField, Status
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.engine.records import Ref
from tests.contract.world import System, later

FIELD = NewField("dynPersonGuid", "Dynamics Person GUID", "string", "Where this person comes from")
ACTIVITY = ActivityType(
    "dynSync",
    "Dynamics 365 Sync",
    "Synced with Dynamics",
    "Was synced with Dynamics",
    ("result", "Result"),
    (("crmEntity", "CRM entity", "string"),),
)


def feed(connector: Marketo, token: str, *fields: str) -> tuple[list[Line], set[str], str]:
    lines: list[Line] = []
    created: set[str] = set()
    while True:
        page = connector.lead_changes(token, fields)
        lines += page.lines
        created |= set(page.created)
        token = page.token
        if not page.more:
            return lines, created, token


def gone(connector: Marketo, token: str) -> set[Ref]:
    found: set[Ref] = set()
    while True:
        page = connector.deleted(token)
        found |= set(page.deleted)
        token = page.cursor
        if not page.more:
            return found


def test_the_feed_tells_new_people_and_changed_fields(marketo: System) -> None:
    connector = cast(Marketo, marketo.connect())
    ref = marketo.make(connector, title="Rigger")
    later(marketo, minutes=20)
    token = connector.paging_token(marketo.clock() - timedelta(minutes=1))
    later(marketo, minutes=1)
    fresh = marketo.make(connector)
    marketo.change(connector, ref, title="Fleet manager")
    if marketo.real:
        return  # a real feed is minutes behind
    later(marketo, minutes=20)
    lines, created, after = feed(connector, token, "title")
    changes = [(line.person, line.field, line.old, line.new) for line in lines if line.person == ref.id]
    assert changes == [(ref.id, "title", "Rigger", "Fleet manager")]
    assert all(line.guid and line.source for line in lines)
    assert fresh.id in created
    assert ref.id not in created
    again, _, _ = feed(connector, token, "title")
    assert {line.guid for line in lines} <= {line.guid for line in again}
    assert [line for line in feed(connector, after, "title")[0] if line.guid in {line.guid for line in lines}] == []


def test_a_deleted_person_is_told_by_notice(marketo: System) -> None:
    connector = cast(Marketo, marketo.connect())
    ref = marketo.make(connector)
    kept = marketo.make(connector)
    token = connector.paging_token(marketo.clock() - timedelta(minutes=1))
    later(marketo, minutes=1)
    marketo.erase(ref)
    if marketo.real:
        return
    later(marketo, minutes=20)
    told = gone(connector, token)
    assert ref in told
    assert kept not in told
    assert connector.fetch([ref], ["email"]).gone == ()  # absence is never a notice


def test_our_field_and_activity_are_made_once_and_used(marketo: System) -> None:
    if marketo.real:
        return  # an account's fields cannot be taken away again
    connector = cast(Marketo, marketo.connect())
    assert connector.ensure_fields([FIELD])[0].status is Status.CREATED
    assert connector.ensure_fields([FIELD])[0].status is Status.EXISTS
    type_id = connector.ensure_activity_type(ACTIVITY)
    assert connector.ensure_activity_type(ACTIVITY) == type_id
    ref = marketo.make(connector, dynPersonGuid="8a41c0de-52f1-ee11-a1fd-000d3ab1c001")
    assert marketo.read(connector, ref, "dynPersonGuid").values["dynPersonGuid"].startswith("8a41")  # type: ignore[union-attr]
    entries = [
        LogEntry(person, marketo.clock(), type_id, "Created", {"crmEntity": "lead"})
        for person in (ref.id, "2000000000")
    ]
    assert [outcome.status for outcome in connector.log(entries)] == [Status.CREATED, Status.GONE]


def test_an_account_tells_its_lists_partitions_and_usage(marketo: System) -> None:
    connector = cast(Marketo, marketo.connect())
    assert connector.partitions()
    assert all(found.id and found.name for found in connector.lists())
    usage = connector.usage()
    assert usage.total >= usage.ours >= 0
