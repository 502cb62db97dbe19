"""Rows for the screens, put straight into the tables: what the sync would have left there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from syncadmin.engine.fields import FieldPair as Pair
from syncadmin.engine.mapping import Direction, Winner, pair_key
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Option, Schema
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.models import (
    Activity,
    Conflict,
    Connection,
    Decision,
    DynamicsRecord,
    Failure,
    Link,
    MarketoPerson,
    PendingWrite,
    Run,
)

LEAD, PERSON = Table.LEAD, Table.PERSON
TITLE = pair_key(LEAD, "jobtitle", "title")
CITY = pair_key(LEAD, "address1_city", "city")
RATING = pair_key(LEAD, "leadqualitycode", "rating")
OWNER = pair_key(LEAD, "ownerid", "ownerName")


class World:
    """Makes rows with sensible values; every method takes what a test wants to be different."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC).replace(microsecond=0)
        self._number = 0

    def guid(self, number: int) -> UUID:
        return UUID(int=0x5EED << 64 | number)

    def fields(self) -> None:
        """Four pairs of a lead: a text, another one where somebody is asked, a choice, and an owner."""
        columns = [
            Column(Side.DYNAMICS, LEAD, "jobtitle", "Job Title", Kind.TEXT),
            Column(Side.DYNAMICS, LEAD, "address1_city", "City", Kind.TEXT),
            Column(
                Side.DYNAMICS,
                LEAD,
                "leadqualitycode",
                "Rating",
                Kind.CHOICE,
                options=(Option(1, "Hot"), Option(2, "Warm")),
            ),
            Column(Side.DYNAMICS, LEAD, "ownerid", "Owner", Kind.OWNER),
        ]
        theirs = [
            Column(Side.MARKETO, PERSON, name, name.title(), Kind.TEXT)
            for name in ("title", "city", "rating", "ownerName")
        ]
        schemas.save(Schema(LEAD, {column.name: column for column in columns}), self.now)
        schemas.save(Schema(Table.CONTACT), self.now)
        schemas.save(Schema(PERSON, {column.name: column for column in theirs}), self.now)
        version = fieldsets.save(
            [
                Pair(TITLE, LEAD, "jobtitle", "title"),
                Pair(CITY, LEAD, "address1_city", "city", winner=Winner.ASK),
                Pair(RATING, LEAD, "leadqualitycode", "rating"),
                Pair(OWNER, LEAD, "ownerid", "ownerName", direction=Direction.TO_MARKETO),
            ]
        )
        options.write("field_version", version)
        options.write("started", True)

    def connected(self) -> None:
        for side in Side:
            Connection.objects.create(side=side, base_url="https://example.org", sealed="", connected_at=self.now)

    def in_dynamics(self, name: str = "Ada Byron", **given: Any) -> DynamicsRecord:
        self._number += 1
        values = {
            "table": "lead",
            "guid": self.guid(self._number),
            "name": name,
            "email": f"{name.split()[0].casefold()}@example.org" if name else "",
            "seen_at": self.now,
            "values": {"jobtitle": "Countess", "address1_city": "London", "leadqualitycode": 1, "ownerid": None},
        }
        return DynamicsRecord.objects.create(**{**values, **given})

    def in_marketo(self, name: str = "Ada Byron", **given: Any) -> MarketoPerson:
        self._number += 1
        values = {
            "person": 1000 + self._number,
            "name": name,
            "email": f"{name.split()[0].casefold()}@example.org" if name else "",
            "seen_at": self.now,
            "values": {"title": "Countess", "city": "London", "rating": "Hot", "ownerName": None},
        }
        return MarketoPerson.objects.create(**{**values, **given})

    def linked(self, name: str = "Ada Byron", **given: Any) -> Link:
        record, person = self.in_dynamics(name), self.in_marketo(name)
        values: dict[str, Any] = {
            "table": "lead",
            "dynamics": record.guid,
            "marketo": person.person,
            "name": name,
            "email": record.email,
            "linked_at": self.now,
            "last_activity_at": self.now,
            "agreed": {
                TITLE: ["Countess", "Countess", 1],
                CITY: ["London", "London", 1],
                RATING: ["hot", "hot", 1],
                OWNER: [None, None, 1],
            },
        }
        return Link.objects.create(**{**values, **given})

    def run(self, minutes_ago: float = 1, **given: Any) -> Run:
        begun = self.now - timedelta(minutes=minutes_ago)
        ended = begun + timedelta(seconds=2)
        values = {"started_at": begun, "finished_at": ended, "heartbeat_at": ended, "calls": {"dynamics": 3}}
        return Run.objects.create(**{**values, **given})

    def line(self, link: Link | None, kind: str, **given: Any) -> Activity:
        return Activity.objects.create(**{"link": link, "at": self.now, "kind": kind, **given})

    def failure(self, link: Link | None = None, **given: Any) -> Failure:
        self._number += 1
        values = {
            "subject": f"link:{link.pk}" if link else f"dynamics:{self.guid(self._number)}",
            "link": link,
            "side": "dynamics",
            "operation": "update",
            "cause": "too_long",
            "opened_at": self.now,
            "last_at": self.now,
        }
        return Failure.objects.create(**{**values, **given})

    def conflict(self, link: Link, **given: Any) -> Conflict:
        self._number += 1
        values = {
            "link": link,
            "key": TITLE,
            "agreed_dynamics": "Countess",
            "agreed_marketo": "Countess",
            "dynamics_value": "Programmer",
            "marketo_value": "Poet",
            "winner": "marketo",
            "rule": "collision_lead",
            "at": self.now,
            "fingerprint": f"{self._number:032}",
        }
        return Conflict.objects.create(**{**values, **given})

    def decision(self, kind: str = "match", **given: Any) -> Decision:
        self._number += 1
        values = {
            "kind": kind,
            "subject": f"dynamics:{self.guid(self._number)}",
            "opened_at": self.now,
            "choices": ["separate"],
        }
        return Decision.objects.create(**{**values, **given})

    def writing(self, link: Link, side: str = "marketo", **given: Any) -> PendingWrite:
        table = "person" if side == "marketo" else "lead"
        values = {"link": link, "side": side, "op": "update", "table": table, "decided_at": self.now}
        return PendingWrite.objects.create(**{**values, **given})
