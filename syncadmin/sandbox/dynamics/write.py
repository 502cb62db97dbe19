"""Creating, updating and deleting a row: defaults, computed columns, states, owners, keys, and who may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import computed, errors, guards
from .payload import Changes, read
from .schema import Table
from .settings import Settings
from .state import Actor, Row, State

_UNLINKED = frozenset(
    {"originatingleadid", "parentcontactid", "parentaccountid", "parentcustomerid", "primarycontactid", "masterid"}
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a write is made: by whom, whether duplicates are looked for, whether the API's guards apply."""

    actor: Actor
    detect: bool = False
    guarded: bool = True


class Writer:
    def __init__(self, state: State, settings: Settings) -> None:
        self.state, self.settings = state, settings

    def create(
        self,
        table: Table,
        changes: Changes,
        manner: Manner,
        id: str | None = None,
        action: str = "create",
        brief: bool = False,
    ) -> str:
        """Store a new row, deep inserts included; returns its id. 412 if the id or a key is taken.

        `brief`: one line in the truth log instead of one per column.
        """
        values = dict(changes.values)
        id = values.pop(table.id, None) or id or self.state.new_id()
        # Who may not create at all learns nothing about ids.
        guards.privilege(self, "Create", table, manner.actor)
        if self.state.get(table.name, id) is not None:
            raise errors.exists()
        guards.may_create(self, table, values, manner)
        for navigation, nested in changes.singles.items():
            self._create_single(table, navigation, nested, values, manner)
        row = self._fresh(table, id, values, manner)
        self._check(table, id, row, values, manner)
        self.state.put(table.name, id, row, manner.actor, action, told=() if brief else values)
        for navigation, many in changes.many.items():
            self._create_many(table, id, navigation, many, manner)
        guards.rewrite(self, table, id, values, manner)
        return id

    def _fresh(self, table: Table, id: str, values: Row, manner: Manner) -> Row:
        row: Row = dict(table.defaults)
        row[table.id] = id
        if table.has("ownerid"):
            row.update({"ownerid": manner.actor.user, "ownerid@type": "systemuser"})
        given = {**values, "statecode": values.get("statecode", 0)} if table.has("statecode") else values
        row.update(values)
        row.update(computed.states(table, id, {}, given))
        self._require(table, row)
        return self._finish(table, row, values, manner, created=True)

    def _require(self, table: Table, row: Row) -> None:
        for name in table.required:
            if row.get(name) is None:
                raise errors.required(name, table.name)

    def _finish(self, table: Table, row: Row, values: Row, manner: Manner, created: bool) -> Row:
        computed.money(self.state, table, row, values)
        computed.names(table, row, values)
        computed.copies(self.state, table, row, values)
        computed.stamps(self.state, table, row, manner.actor, created)
        return row

    def update(self, table: Table, id: str, changes: Changes, manner: Manner, action: str = "update") -> Row:
        """Change a row that exists; equal values count as an update too. Returns the row as stored."""
        old = self.state.get(table.name, id)
        if old is None:
            raise errors.absent(table.name, id)
        values = {name: value for name, value in changes.values.items() if name != table.id}
        guards.may_update(self, table, id, old, values, manner)
        # A new dictionary each time: rollback and the truth log still hold the old one.
        row = {**old, **values, **computed.states(table, id, old, values)}
        row = self._finish(table, row, values, manner, created=False)
        self._check(table, id, row, values, manner)
        stored = self.state.put(table.name, id, row, manner.actor, action)
        guards.rewrite(self, table, id, values, manner)
        return stored

    def delete(self, table: Table, id: str, manner: Manner) -> None:
        if self.state.get(table.name, id) is None:
            raise errors.absent(table.name, id)
        guards.may_delete(self, table, id, manner)
        self.state.remove(table.name, id, manner.actor)
        self._unlink(table, id, manner)

    def _unlink(self, table: Table, id: str, manner: Manner) -> None:
        """Rows that pointed at a deleted one point nowhere; that counts as an update of theirs."""
        how = Manner(Actor("system", manner.actor.user), guarded=False)
        for relation in self.state.schema.collections(table.name).values():
            source = self.state.schema.tables[relation.source]
            if relation.column not in _UNLINKED:
                continue
            for other in self.state.matching(source.name, (relation.column,), (id,)):
                self.update(source, other, Changes({relation.column: None, f"{relation.column}@type": None}), how)

    def _check(self, table: Table, id: str, row: Row, values: Row, manner: Manner) -> None:
        guards.owner(self, table, row, values)
        for key in table.keys.values():
            wanted = tuple(row.get(column) for column in key.columns)
            if None in wanted or not any(column in values for column in key.columns):
                continue
            if any(other != id for other in self.state.matching(table.name, key.columns, wanted)):
                labels = ", ".join(table.columns[column].label for column in key.columns)
                raise errors.key_taken(key.label, labels)
        if manner.detect:
            guards.duplicates(self, table, id, row)

    def _create_single(
        self, table: Table, navigation: str, nested: Mapping[str, Any], values: Row, manner: Manner
    ) -> None:
        column, targets = table.by_navigation[navigation]
        target = self.state.schema.tables[targets[0]]
        values[column.name] = self.create(target, self.read(target, nested), manner)
        values[f"{column.name}@type"] = target.name

    def _create_many(
        self, table: Table, id: str, navigation: str, many: list[Mapping[str, Any]], manner: Manner
    ) -> None:
        relation = self.state.schema.collections(table.name)[navigation]
        source = self.state.schema.tables[relation.source]
        for nested in many:
            changes = self.read(source, nested)
            changes.values.update({relation.column: id, f"{relation.column}@type": table.name})
            self.create(source, changes, manner)

    def read(self, table: Table, nested: Mapping[str, Any]) -> Changes:
        return read(self.state, table, nested, True, {})
