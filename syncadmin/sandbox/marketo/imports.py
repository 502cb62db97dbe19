"""Bulk import of people: Queued, Importing, Complete, driven by the clock; the rows take effect when the job ends."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

from . import persons
from .answers import ApiError, RowError, moment, stamp
from .exports import SEPARATORS
from .state import Cause, State

_QUEUE, _KEPT = 10, timedelta(days=7)
_FIRST_BATCH = 5180
_SOURCE = "List import"
# Text beyond the length of these kinds is cut with a warning instead of losing the row.
_TEXTS = frozenset({"string", "phone", "url"})
_REASONS = {"failures": "Import Failure Reason", "warnings": "Import Warning Reason"}
Batch = dict[str, Any]
Row = dict[str, str]


class Imports:
    """Batches by id. `advance` lets time pass; nothing happens to a batch between two calls of the account."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._batches = state.store.table("imports")

    def enqueue(self, user: str, client: str, order: Batch, text: str) -> Batch:
        """`order`: format, lookup, list (or None) and partition. Raises ApiError if the file or the queue refuses it."""
        self._place(order["list"])
        header, rows = self._read(order, text)
        number = self._state.next_id("import", _FIRST_BATCH)
        batch = {"batchId": number, "user": user, "client": client, "status": "Queued", "queuedAt": self._state.now()}
        return self._keep(batch | order | {"header": header, "rows": rows, "failures": [], "warnings": []})

    def _place(self, list_id: str | None) -> None:
        open_ones = [batch for batch in self._batches.values() if batch["status"] in ("Queued", "Importing")]
        if list_id is not None and any(batch["list"] == list_id for batch in open_ones):
            raise ApiError(1019, "Import in progress")
        if len(open_ones) >= _QUEUE:
            text = f"There are {_QUEUE} imports currently being processed. Please wait and try again later"
            raise ApiError(1016, text)

    def _read(self, order: Batch, text: str) -> tuple[list[str], list[Row]]:
        try:
            lines = [line for line in csv.reader(io.StringIO(text), delimiter=SEPARATORS[order["format"]]) if line]
        except csv.Error as error:
            raise ApiError(1003, f"Invalid data: {error}") from None
        if not lines:
            raise ApiError(1003, "Invalid data: the file is empty")
        header = [name.strip() for name in lines[0]]
        for name in header:
            if self._state.fields.get(name) is None:
                raise ApiError(1006, f"Field '{name}' not found")
        if order["lookup"] not in header:
            raise ApiError(1002, f"Missing value for the required parameter '{order['lookup']}'")
        return header, [dict(zip(header, line, strict=False)) for line in lines[1:]]

    def advance(self) -> None:
        """Start what has a place and finish what ran long enough."""
        knobs, now = self._state.knobs, self._state.clock()
        for batch in sorted(self._open("Importing"), key=_number):
            if moment(batch["startedAt"]) + timedelta(seconds=knobs.bulk_run) <= now:
                self._finish(batch)
        for batch in sorted(self._open("Queued"), key=_number):
            begun = moment(batch["queuedAt"]) + timedelta(seconds=knobs.bulk_start)
            if begun <= now and len(self._open("Importing")) < knobs.bulk_running:
                self._keep({**batch, "status": "Importing", "startedAt": stamp(now)})

    def _open(self, status: str) -> list[Batch]:
        return [batch for batch in self._batches.values() if batch["status"] == status]

    def _finish(self, batch: Batch) -> None:
        failures: list[list[str]] = []
        warnings: list[list[str]] = []
        cause = Cause(f"api:{batch['client']}", _SOURCE, _SOURCE)
        for row in batch["rows"]:
            cells = [row.get(name, "") for name in batch["header"]]
            try:
                warning = self._row(batch, row, cause)
            except RowError as error:
                failures.append([*cells, error.reason["message"]])
                continue
            if warning:
                warnings.append([*cells, warning])
        done = {"status": "Complete", "failures": failures, "warnings": warnings, "count": len(batch["rows"])}
        # The rows themselves are no longer needed.
        self._keep({**batch, **done, "rows": []})

    def _row(self, batch: Batch, row: Row, cause: Cause) -> str:
        """Upsert one row; the warning, if there is one. An empty cell leaves its field alone."""
        state, lookup = self._state, batch["lookup"]
        values: dict[str, Any] = {name: text for name, text in row.items() if text != "" and name != "id"}
        if not row.get(lookup):
            raise RowError(1002, f"Missing value for the required parameter '{lookup}'")
        matches = state.find(lookup, row[lookup])
        if len(matches) > 1:
            raise RowError(1007, "Multiple lead match lookup criteria")
        if not matches and lookup == "id":
            raise RowError(1004, "Lead not found")
        warning = self._cut(values)
        checked = persons.checked(state, values, platform=True)
        if matches:
            persons.change(state, matches[0], checked, cause)
        else:
            matches = [persons.create(state, checked, cause, partition=batch["partition"] or 1)]
        if batch["list"] is not None:
            persons.add_to_list(state, batch["list"], matches[0], cause)
        return warning

    def _cut(self, values: dict[str, Any]) -> str:
        cut = []
        for name, text in values.items():
            field = self._state.fields.get(name)
            if field and field.kind in _TEXTS and field.length is not None and len(text) > field.length:
                values[name] = text[: field.length]
                cut.append(name)
        return f"Value truncated for field {', '.join(cut)}" if cut else ""

    def find(self, user: str, id: str) -> Batch:
        """A batch is known to the API user who made it, for a week."""
        batch: Batch | None = self._batches.get(id)
        if batch is None or batch["user"] != user or moment(batch["queuedAt"]) + _KEPT < self._state.clock():
            raise ApiError(1013, f"Object not found: batch '{id}'")
        return batch

    def _keep(self, batch: Batch) -> Batch:
        self._batches[str(batch["batchId"])] = batch
        return batch


def _number(batch: Batch) -> int:
    return int(batch["batchId"])


def status(batch: Batch) -> Batch:
    """What a status call shows."""
    shown = {"batchId": batch["batchId"], "importId": str(batch["batchId"]), "status": batch["status"]}
    if batch["status"] != "Complete":
        words = "Import is in the queue" if batch["status"] == "Queued" else "Import is running"
        return shown | {"numOfLeadsProcessed": 0, "numOfRowsFailed": 0, "numOfRowsWithWarning": 0, "message": words}
    failed = len(batch["failures"])
    good = batch["count"] - failed
    words = f"{good} records imported ({good} members)"
    words = f"Import completed with errors, {words}, {failed} failed" if failed else f"Import succeeded, {words}"
    return shown | {
        "numOfLeadsProcessed": good,
        "numOfRowsFailed": failed,
        "numOfRowsWithWarning": len(batch["warnings"]),
        "message": words,
    }


def report(batch: Batch, kind: str) -> bytes:
    """The failed or warned rows in the format they came in, with the reason behind them; empty if there are none."""
    if not batch[kind]:
        return b""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATORS[batch["format"]], lineterminator="\n")
    writer.writerow([*batch["header"], _REASONS[kind]])
    writer.writerows(batch[kind])
    return text.getvalue().encode("utf-8", "replace")
