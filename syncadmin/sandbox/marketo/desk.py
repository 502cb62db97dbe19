"""What people and campaigns over there do without the API: the language of tests and of the web page."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from . import campaigns, persons, seed, webhooks
from .answers import RowError, request_id
from .identity import user_of
from .state import Cause, Person, State

# Rows of a load per transaction: what waits to be written is held in memory twice.
_LOAD_COMMIT = 5000
_SOURCES = {
    "person": ("Lead update", "Manual person edit"),
    "form": ("Web form fillout", "Form fill-out, URL: https://www.sandbox.example/contact"),
    "load": ("List import", "List import"),
    "system": ("Lead update", "Manual person edit"),
    "rival": ("Lead update", "Manual person edit"),
}


class Desk:
    """Entity is always "person"; ids may be int or text. Refused values raise RowError, unknown ids KeyError."""

    state: State
    lock: threading.RLock
    send: webhooks.Send

    def cause(self, by: str, *, campaign: int | None = None, creating: bool = False) -> Cause:
        if by == "campaign":
            row = self.state.campaigns[str(campaign or seed.FAST_TRACK)]
            return campaigns.flow_cause(row, "Change Data Value")
        if by.startswith("api:"):
            user, id = user_of(by[4:]), request_id(self.state.chance, self.state.clock())
            return Cause(by, "Web service API", "Web service API", None, id, user, "syncLeads")
        source, reason = _SOURCES[by]
        return Cause(by, "New lead" if creating and source == "Lead update" else source, reason, campaign)

    def create(self, entity: str, values: dict[str, Any], *, by: str = "person") -> str:
        """A new person, also beside one with the same e-mail: manual entry does not look for doubles."""
        with self.lock:
            _person(entity)
            checked = persons.checked(self.state, values, platform=not by.startswith("api:"))
            id = persons.create(self.state, checked, self.cause(by, creating=True))
            self.state.commit()
            return id

    def edit(
        self, entity: str, id: Any, changes: dict[str, Any], *, by: str = "person", campaign: int | None = None
    ) -> None:
        with self.lock:
            _person(entity)
            self._known(id)
            checked = persons.checked(self.state, changes, platform=not by.startswith("api:"))
            persons.change(self.state, str(id), checked, self.cause(by, campaign=campaign))
            self.state.commit()

    def delete(self, entity: str, id: Any, *, by: str = "person") -> None:
        with self.lock:
            _person(entity)
            self._known(id)
            persons.delete(self.state, str(id), self.cause(by))
            self.state.commit()

    def get(self, entity: str, id: Any) -> Person | None:
        """All fields with a value, by REST name."""
        _person(entity)
        with self.lock:
            row = self.state.person(id)
            return None if row is None else self._filled(row)

    def rows(self, entity: str) -> Iterator[Person]:
        _person(entity)
        with self.lock:
            everybody = list(self.state.people.values())
        return (self._filled(row) for row in everybody)

    def _filled(self, row: Person) -> Person:
        company = bool(row.get("externalCompanyId"))
        # Of well over a hundred fields few are filled; whatever is not stored with the person comes from elsewhere.
        wanted = (
            field
            for field in self.state.fields.all()
            if field.name in row or field.name == "mktoName" or (company and field.company)
        )
        found = {field.name: self.state.value(row, field) for field in wanted}
        found["id"] = int(row["id"])
        return {name: value for name, value in found.items() if value is not None and value is not False}

    def _known(self, id: Any) -> Person:
        row = self.state.person(id)
        if row is None:
            raise KeyError(f"no person {id}")
        return row

    def load(
        self,
        entity: str,
        rows: Iterable[dict[str, Any]],
        *,
        by: str = "load",
        dedupe: bool = False,
        days_ago: int = 0,
    ) -> list[str]:
        """Many new people at once; returns their ids. With `dedupe` a known e-mail is updated, as an import does.

        What came about `days_ago` has to be loaded first of all: the feed keeps what it was given in that order. One bad
        row refuses the whole load, with its number in the message.
        """
        with self.lock, self.state.clock.put_back(days_ago):
            _person(entity)
            checked = []
            for number, row in enumerate(rows, 1):
                try:
                    checked.append(persons.checked(self.state, row, platform=True))
                except RowError as error:
                    # Checked as a whole first: half a list is worse than none.
                    raise ValueError(f"row {number}: {error}") from error
            cause = self.cause(by, creating=True)
            ids = []
            for number, row in enumerate(checked, 1):
                ids.append(self._put(row, cause, dedupe))
                if number % _LOAD_COMMIT == 0:
                    self.state.commit()
            self.state.commit()
            return ids

    def _put(self, values: dict[str, Any], cause: Cause, dedupe: bool) -> str:
        matches = self.state.find("email", values["email"]) if dedupe and values.get("email") else []
        if not matches:
            return persons.create(self.state, values, cause)
        persons.change(self.state, matches[0], values, cause)
        return matches[0]

    def merge(self, winner: Any, losers: Iterable[Any], *, by: str = "person") -> None:
        with self.lock:
            persons.merge(self.state, str(winner), [str(id) for id in losers], self.cause(by), "Web UI")
            self.state.commit()

    def add_list(self, name: str, *, description: str | None = None) -> str:
        with self.lock:
            id = self.state.next_id("list", 1001)
            seed.static_list(self.state, id, name, description=description)
            self.state.commit()
            return str(id)

    def add_to_list(self, list_id: Any, ids: Iterable[Any], *, by: str = "person") -> None:
        with self.lock:
            for id in ids:
                self._known(id)
                persons.add_to_list(self.state, str(list_id), str(id), self.cause(by))
            self.state.commit()

    def remove_from_list(self, list_id: Any, ids: Iterable[Any], *, by: str = "person") -> None:
        with self.lock:
            for id in ids:
                persons.remove_from_list(self.state, str(list_id), str(id), self.cause(by))
            self.state.commit()

    def block_field_updates(self, field: str, source: str = "Web service API") -> None:
        """From now on `source` may fill this field but not change it; the API goes on saying `updated`."""
        with self.lock:
            self.state.blocks[field] = [*self.state.blocks.get(field, []), source]
            self.state.commit()

    def unblock_field_updates(self, field: str) -> None:
        with self.lock:
            self.state.blocks.pop(field, None)
            self.state.commit()

    def add_field(self, name: str, display: str, kind: str = "string") -> None:
        """A custom field made in the admin screens."""
        with self.lock:
            self.state.fields.create(name, display, kind, api=False)
            self.state.commit()

    def change_field(self, name: str, **changes: Any) -> None:
        """Other type, length or name on screen: `kind`, `length`, `display`, `read_only`, `hidden`."""
        with self.lock:
            field = self.state.fields.get(name)
            if field is None:
                raise KeyError(f"no field {name}")
            self.state.fields.change(field, **changes)
            self.state.commit()

    def remove_field(self, name: str) -> None:
        with self.lock:
            self.state.fields.remove(name)
            self.state.commit()

    def link_company(self, id: Any, external_id: str, values: dict[str, Any] | None = None) -> None:
        """Link a person to a company record, made or changed with `values`; its company fields then show those."""
        # Companies have no API here; their records exist to be read through.
        with self.lock:
            if external_id not in self.state.companies or values is not None:
                self.state.companies[external_id] = dict(values or {})
            self.edit("person", id, {"externalCompanyId": external_id}, by="system")

    def add_campaign(self, name: str, trigger: str | None, steps: list[dict[str, Any]], **more: Any) -> int:
        """See seed.campaign; `steps` are {"do": "webhook"|"change"|"list", ...}."""
        with self.lock:
            id = self.state.next_id("campaign", 2300)
            seed.campaign(self.state, id, name, trigger, steps, **more)
            self.state.commit()
            return id

    def add_webhook(self, name: str, **settings: Any) -> None:
        """`url`, `template`, and optionally `method`, `encoding`, `headers`, `mappings` (path to SOAP name)."""
        defaults: dict[str, Any] = {"method": "POST", "template": "", "encoding": None, "headers": {}, "mappings": {}}
        with self.lock:
            self.state.webhooks[name] = {"name": name, **defaults, **settings}
            self.state.commit()

    def activities_of(self, id: Any) -> list[dict[str, Any]]:
        """The person's Activity Log rows in the shape of activities.Log, newest first."""
        with self.lock:
            return list(self.state.log.about(int(id)))[::-1]


def _person(entity: str) -> None:
    if entity != "person":
        raise ValueError(f"Marketo has people only, no {entity!r}")
