"""People at work on both sides while the stack is attacked: edits, collisions, creates, deletes, Sync Person."""

from __future__ import annotations

import random
import threading
from collections import Counter

import httpx

from syncadmin.proof.chaos.desk import Desk

# Text in both systems, so that equal means equal without any conversion. The last one is for troubles alone.
FIELDS = {
    "jobtitle": "title",
    "address1_city": "city",
    "address1_line1": "address",
    "address1_country": "country",
    "middlename": "middleName",
}
_COMMON = tuple(FIELDS)[:4]
DROPPED = "middlename"
MARK = "chaos"


class Pair:
    """One person on both sides."""

    def __init__(self, table: str, record: str, person: str) -> None:
        self.table, self.record, self.person = table, record, person


class Load:
    """A thread that works on ``pairs`` until it is ended, about ``rate`` deeds a second."""

    def __init__(self, desk: Desk, pairs: list[Pair], seed: int, rate: float) -> None:
        self._desk, self._pairs, self._every = desk, pairs, 1 / rate
        self._chance = random.Random(seed)
        self._over, self._number = threading.Event(), 0
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.deeds: Counter[str] = Counter()
        self.trouble = ""

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        if not self._thread.is_alive():
            self.trouble = self.trouble or "people had stopped working before the end"
        self._over.set()
        self._thread.join(60)

    def token(self) -> str:
        """A value that nobody ever had: wherever it shows up, it is known who wrote it."""
        with self._guard:
            self._number += 1
            return f"{MARK} {self._number}"

    def somebody(self) -> Pair:
        return self._chance.choice(self._pairs)

    def _work(self) -> None:
        deeds = (
            (self._edit_dynamics, 30), (self._edit_marketo, 30), (self._collide, 12), (self._edit_both, 12),
            (self._create, 8), (self._sync_person, 5), (self._delete, 1),
        )  # fmt: skip
        names, weights = [deed for deed, _ in deeds], [weight for _, weight in deeds]
        while not self._over.wait(self._every):
            deed = self._chance.choices(names, weights)[0]
            try:
                deed()
                self.deeds[deed.__name__.strip("_")] += 1
            except httpx.HTTPError as error:
                self.trouble = f"{deed.__name__}: {error}"

    def _edit_dynamics(self) -> None:
        pair = self.somebody()
        self._desk.edit(pair.table, pair.record, {self._chance.choice(_COMMON): self.token()})

    def _edit_marketo(self) -> None:
        pair = self.somebody()
        self._desk.edit("person", pair.person, {FIELDS[self._chance.choice(_COMMON)]: self.token()})

    def _collide(self) -> None:
        pair, column = self.somebody(), self._chance.choice(_COMMON)
        self._desk.edit(pair.table, pair.record, {column: self.token()})
        self._desk.edit("person", pair.person, {FIELDS[column]: self.token()})

    def _edit_both(self) -> None:
        """Different fields: both must survive."""
        pair, (one, other) = self.somebody(), self._chance.sample(_COMMON, 2)
        self._desk.edit(pair.table, pair.record, {one: self.token()})
        self._desk.edit("person", pair.person, {FIELDS[other]: self.token()})

    def _create(self) -> None:
        table, name = self._chance.choice(("lead", "contact")), self.token()
        values = {"firstname": MARK, "lastname": name, "emailaddress1": _address(name), "new_synctomkto": True}
        self._desk.create(table, {**values, "subject": name} if table == "lead" else values)

    def _sync_person(self) -> None:
        name = self.token()
        person = self._desk.create(
            "person", {"firstName": MARK, "lastName": name, "email": _address(name), "company": name}
        )
        self._desk.sync_person(person, "lead")

    def _delete(self) -> None:
        pair = self.somebody()
        if len(self._pairs) > 20:
            self._pairs.remove(pair)
            self._desk.delete(pair.table, pair.record)


def _address(name: str) -> str:
    return f"{name.replace(' ', '.')}@chaos.example"
