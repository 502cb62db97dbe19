"""What one sandbox account holds, with the clock, the randomness and the switches everything else asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from syncadmin.sandbox.clock import Clock
from syncadmin.sandbox.storage import Store
from syncadmin.sandbox.truth import TruthLog

from .activities import Log
from .answers import stamp
from .custom import CustomTypes
from .fields import Field, Fields
from .values import key as same

FIRST_PERSON = 1000
Person = dict[str, Any]


@dataclass(slots=True)
class Knobs:
    """Switches of the account, for tests and for /_sandbox/configure. Times in seconds."""

    token_lifetime: int = 3600
    token_in_query: bool = False  # the withdrawn access_token parameter
    write_marks: bool = True  # Request Id, Modifying User and API Method Name in the activities of API writes
    activity_ids: bool = True  # accounts on the newer activity store have no `id` beside marketoGUID
    activity_zone: str = "Z"  # "+0000" on older accounts
    boolean_words: tuple[str, str] = ("false", "true")  # in activities; ("False", "True") and ("0", "1") occur as well
    merge_ids_as_list: bool = False  # Merge IDs come as text such as [1001, 1002] or as a list
    early_updated_at: bool = False  # a new person's updatedAt is one second before its createdAt
    empty_fields: bool = True  # empty person fields come as null; the documents also allow leaving them out
    block: int = 500  # activity rows looked at per call
    rate_calls: int = 100
    rate_seconds: float = 20
    concurrency: int = 10
    daily: int = 50_000
    partition_required: bool = False
    company_writes: str = "ignore"  # or "refuse" (1021), for people linked to a company record
    bulk_updated_at: bool = True
    bulk_smart_lists: bool = False
    bulk_start: float = 0
    bulk_run: float = 1
    bulk_refresh: float = 0
    bulk_running: int = 2
    bulk_queue: int = 10
    bulk_bytes: int = 500 * 1024 * 1024
    clock_ahead: float = 0  # of the sandbox's own, as Date tells it
    webhook_seconds: float = 30
    webhooks_at_once: int = 20
    clients: dict[str, str] = field(default_factory=lambda: {"sandbox": "sandbox-secret"})
    # Permissions taken from the API role, by their name in the vendor's table; calls needing one get 603.
    missing_permissions: set[str] = field(default_factory=set)
    # Fields that a CRM sync of the vendor's own holds; describe2 marks them.
    crm_managed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who or what makes a change, as the truth log and as the activities name it."""

    who: str
    source: str
    reason: str | None = None
    campaign: int | None = None
    request: str | None = None
    user: str | None = None
    api_method: str | None = None


class State:
    def __init__(self, clock: Callable[[], datetime], chance: random.Random, path: Path | None) -> None:
        self.clock = Clock(clock)
        self.chance = chance
        self.path = path
        self.store = Store(path)
        self.truth = TruthLog(self.store)
        self.knobs = Knobs()
        self.fields = Fields(self.store.table("fields"))
        self.log = Log(self.store)
        self.custom_types = CustomTypes(self.store)
        self.people = self.store.table("people")
        self.counters = self.store.table("counters")
        self.lists = self.store.table("lists")
        self.members = self.store.table("members")
        self.companies = self.store.table("companies")
        self.blocks = self.store.table("blocks")
        self.campaigns = self.store.table("campaigns")
        self.webhooks = self.store.table("webhooks")
        self.programs = self.store.table("programs")
        self.program_members = self.store.table("program_members")
        self.waiting = self.store.table("campaign_queue")
        self.jobs = self.store.table("jobs")
        self.tokens = self.store.table("tokens")
        self.usage = self.store.table("usage")
        self._differ_from_last_time()
        self._on: dict[str, dict[str, str]] | None = None
        self._indexes: dict[str, dict[str, set[str]]] = {}

    def _differ_from_last_time(self) -> None:
        """After a restart the same seed would draw the same export ids again and overwrite jobs already there."""
        starts = int(self.counters.get("starts", 0))
        if starts:
            self.chance = random.Random(f"{self.chance.random()}/{starts}")
        if self.store.durable:
            self.counters["starts"] = starts + 1

    def now(self) -> str:
        return stamp(self.clock())

    def next_id(self, what: str, first: int) -> int:
        id = int(self.counters.get(what, first - 1)) + 1
        self.counters[what] = id
        return id

    def commit(self) -> None:
        self.truth.flush()
        self.store.commit()

    def person(self, id: Any) -> Person | None:
        found: Person | None = self.people.get(str(id).strip())
        return found

    def keep(self, id: str, row: Person | None) -> None:
        """Store, replace or (None) remove a person, and keep the indexes right."""
        old = self.people.get(id)
        # Only fields somebody looked people up by are indexed.
        for name, index in self._indexes.items():
            before = None if old is None else old.get(name)
            after = None if row is None else row.get(name)
            if before == after:
                continue
            if before is not None:
                index[same(before)].discard(id)
            if after is not None:
                index.setdefault(same(after), set()).add(id)
        if row is None:
            self.people.pop(id, None)
        else:
            self.people[id] = row

    def find(self, name: str, value: Any) -> list[str]:
        """Ids of the people whose field holds this value, ascending."""
        if name == "id":
            text = str(value).strip()
            return [text] if text in self.people else []
        # Cookies are rare and looked up rarer: no index.
        if name == "cookies":
            return sorted((id for id, row in self.people.items() if value in row.get("_cookies", ())), key=int)
        # The first look-up by a field pays for its index, all later ones and all writes keep it.
        if name not in self._indexes:
            index: dict[str, set[str]] = {}
            for id, row in self.people.items():
                if row.get(name) is not None:
                    index.setdefault(same(row[name]), set()).add(id)
            self._indexes[name] = index
        return sorted(self._indexes[name].get(same(value), ()), key=int)

    def value(self, row: Person, field: Field) -> Any:
        """What a reader sees: company fields come from the company record a person is linked to."""
        if field.company and field.name != "externalCompanyId" and row.get("externalCompanyId"):
            company = self.companies.get(str(row["externalCompanyId"]))
            if company is not None:
                return company.get(field.name)
        found = row.get(field.name)
        if field.kind == "boolean":
            return bool(found)
        # Derived, never stored: it must follow every change of a name.
        if field.name == "mktoName":
            return full_name(row)
        return found

    def shown(self, row: Person, names: list[str]) -> Person:
        # The id comes along whatever fields were asked for.
        found: Person = {"id": int(row["id"])}
        for name in names:
            field = self.fields.get(name)
            if field is None or name == "id":
                continue
            value = self.value(row, field)
            if value is not None or self.knobs.empty_fields:
                found[name] = value
        return found

    def linked_company(self, row: Person) -> bool:
        return bool(row.get("externalCompanyId")) and str(row["externalCompanyId"]) in self.companies

    def on(self, list_id: str) -> dict[str, str]:
        """The members of a static list, person id to since when."""
        if self._on is None:
            self._on = {}
            for key, at in self.members.items():
                found, _, person = key.partition("/")
                self._on.setdefault(found, {})[person] = at
        return self._on.setdefault(list_id, {})

    def lists_of(self, person: str) -> list[str]:
        return [list_id for list_id in self.lists if person in self.on(list_id)]

    def join(self, list_id: str, person: str) -> None:
        self.on(list_id)[person] = self.members[f"{list_id}/{person}"] = self.now()

    def leave(self, list_id: str, person: str) -> None:
        del self.on(list_id)[person]
        del self.members[f"{list_id}/{person}"]


def full_name(row: Person) -> str | None:
    parts = (row.get("firstName"), row.get("middleName"), row.get("lastName"))
    return " ".join(str(part) for part in parts if part) or None


def display_name(row: Person) -> str:
    """How activities call a person."""
    return full_name(row) or row.get("email") or str(row["id"])
