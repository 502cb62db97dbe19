"""What people in the organisation do: the pretend user interface, and the language of tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from . import errors, seed
from .computed import default_status
from .lifecycle import Lifecycle, Qualification
from .limits import Limits
from .payload import told
from .schema import Table
from .schema_writes import SchemaWrites
from .settings import Settings
from .signin import SignIn
from .state import Actor, Row, State
from .write import Manner, Writer

# Keeps what waits to be written small while a million rows are loaded.
_LOAD_COMMIT = 10_000
_USERS = {"system": seed.SYSTEM, "rival": seed.RIVAL}


class Hands:
    """Writes are validated like the API's, take effect at once, and stand in the truth log under `by`.

    Raises ApiError with the vendor's code where the system would refuse.
    """

    lock: threading.RLock
    state: State
    settings: Settings
    signin: SignIn
    limits: Limits
    _writer: Writer

    def commit(self) -> None:
        raise NotImplementedError

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self.lock:
            self.state.begin()
            try:
                yield
            except BaseException:
                self.state.rollback()
                raise
            self.state.keep()
            self.commit()

    def _manner(self, by: str) -> Manner:
        return Manner(Actor(by, _USERS.get(by, seed.PERSON)), guarded=False)

    def _table(self, entity: str) -> Table:
        return self.state.schema.tables[entity]

    # -- one record

    def create(self, entity: str, values: Mapping[str, Any], *, by: str = "person") -> str:
        """Create a row; a lookup column may simply hold the other row's id. Returns the new id."""
        with self._transaction():
            return self._writer.create(
                self._table(entity), told(self.state, self._table(entity), values, True), self._manner(by)
            )

    def edit(self, entity: str, id: str, changes: Mapping[str, Any], *, by: str = "person") -> None:
        with self._transaction():
            table = self._table(entity)
            self._writer.update(table, id, told(self.state, table, changes, False), self._manner(by))

    def delete(self, entity: str, id: str, *, by: str = "person") -> None:
        with self._transaction():
            self._writer.delete(self._table(entity), id, self._manner(by))

    def get(self, entity: str, id: str) -> dict[str, Any] | None:
        """The filled columns of a row (amounts as Decimal), or None."""
        with self.lock:
            row = self.state.get(entity, id)
            return None if row is None else self._shown(entity, row)

    def rows(self, entity: str) -> Iterator[dict[str, Any]]:
        with self.lock:
            found = list(self.state.rows(entity).values())
        return (self._shown(entity, row) for row in found)

    def _shown(self, entity: str, row: Row) -> dict[str, Any]:
        columns = self._table(entity).columns
        return {
            name: Decimal(value) if columns[name].type in ("Money", "Decimal") else value
            for name, value in row.items()
            if name in columns
        }

    def load(
        self, entity: str, rows: Iterable[Mapping[str, Any]], *, by: str = "load", days_ago: int = 0
    ) -> list[tuple[int, str]]:
        """Create many rows at once, last modified so many days ago; returns (position, reason) of those refused."""
        table, how, refused = self._table(entity), self._manner(by), []
        with self.lock, self.state.clock.put_back(days_ago):
            for position, values in enumerate(rows):
                try:
                    self._writer.create(table, told(self.state, table, values, True), how, brief=True)
                except errors.ApiError as error:
                    refused.append((position, error.message))
                if position % _LOAD_COMMIT == _LOAD_COMMIT - 1:
                    self.commit()
            self.commit()
        return refused

    # -- what only this side has

    def qualify(
        self, lead_id: str, *, contact: bool = True, account: bool = True, opportunity: bool = False, by: str = "person"
    ) -> dict[str, str]:
        """Qualify a lead; returns the ids of what was created, by table."""
        with self._transaction():
            wanted = Qualification(contact, account, opportunity)
            return Lifecycle(self._writer).qualify(lead_id, wanted, self._manner(by))

    def merge(self, entity: str, master: str, loser: str, *, by: str = "person") -> None:
        with self._transaction():
            Lifecycle(self._writer).merge(entity, master, loser, self._manner(by))

    def restore(self, entity: str, id: str, row: Mapping[str, Any], *, by: str = "person") -> None:
        """Bring a deleted row back with its id, holding what `row` (from `get`) says."""
        with self._transaction():
            table = self._table(entity)
            values = {
                name: value for name, value in row.items() if name in table.columns and "c" in table.columns[name].ops
            }
            changes = told(self.state, table, values, True)
            self._writer.create(table, changes, self._manner(by), id, action="restore")

    def assign(self, entity: str, id: str, owner: str, *, by: str = "person") -> None:
        self.edit(entity, id, {"ownerid": owner}, by=by)

    def deactivate(self, entity: str, id: str, *, status: int | None = None, by: str = "person") -> None:
        """Make a row inactive, or disqualify a lead."""
        self._set_state(entity, id, 2 if entity == "lead" else 1, status, by)

    def reactivate(self, entity: str, id: str, *, by: str = "person") -> None:
        self._set_state(entity, id, 0, None, by)

    def _set_state(self, entity: str, id: str, state: int, status: int | None, by: str) -> None:
        reason = status if status is not None else default_status(self._table(entity), state)
        self.edit(entity, id, {"statecode": state, "statuscode": reason}, by=by)

    # -- administration

    def configure(self, **switches: Any) -> None:
        """Turn switches of `settings.DEFAULTS`."""
        with self._transaction():
            for name, value in switches.items():
                self.settings[name] = value

    def set_limits(self, *, enforced: bool | None = None, **facts: Any) -> None:
        """Switch the service protection limits on or off, or change their numbers."""
        if enforced is not None:
            self.limits.enforced = enforced
        self.configure(limits={**self.settings["limits"], **facts})

    def set_expiry(self, days: int) -> None:
        """The organisation's expirechangetrackingindays, 0 to 365."""
        if not 0 <= days <= 365:
            raise ValueError("expirechangetrackingindays lies between 0 and 365")
        id = next(iter(self.state.rows("organization")))
        self.edit("organization", id, {"expirechangetrackingindays": days}, by="system")

    def set_messages(self, entity: str, messages: Iterable[str]) -> None:
        """Which messages a table has, bulk messages included."""
        with self._transaction():
            self.state.schema.change(do="messages", entity=entity, value=sorted(messages))
            seed.messages(self.state)

    def set_tracking(self, entity: str, on: bool) -> None:
        with self._transaction():
            self.state.schema.change(do="tracked", entity=entity, value=on)

    def expire_delta_tokens(self) -> None:
        """No delta token given so far is good any more."""
        with self._transaction():
            version = self.state.next_version()
            self.settings["delta_floor"] = dict.fromkeys(self.state.schema.tables, version)

    def expire_tokens(self) -> None:
        with self._transaction():
            self.signin.expire_all()

    def add_column(self, entity: str, name: str, **facts: Any) -> None:
        """Add a column; facts as in columns.json (`type` is needed, `label` and `schema` fall back to the name)."""
        with self._transaction():
            SchemaWrites(self._writer).add_column(entity, name, {"schema": name, "label": name, **facts})

    def remove_column(self, entity: str, name: str) -> None:
        with self._transaction():
            SchemaWrites(self._writer).remove_column(entity, name)

    def retype_column(self, entity: str, name: str, **facts: Any) -> None:
        """Replace a column by one of another type or with other facts; its values go."""
        with self._transaction():
            old = self._table(entity).columns[name]
            writes = SchemaWrites(self._writer)
            writes.remove_column(entity, name)
            writes.add_column(entity, name, {"schema": old.schema, "label": old.label, "level": old.level, **facts})
