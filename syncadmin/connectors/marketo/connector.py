"""The Marketo side of the contract: what the services ask for, carried out over one account's API."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Self

import httpx

from syncadmin.connectors import contract
from syncadmin.connectors.budget import Budget
from syncadmin.connectors.contract import (
    ActivityType,
    Check,
    Create,
    Events,
    Extract,
    Fetched,
    Identity,
    LeadChanges,
    LogEntry,
    Members,
    NewField,
    Outcome,
    Page,
    Probe,
    StaticList,
    Update,
    Usage,
)
from syncadmin.connectors.errors import Malformed, Refused
from syncadmin.connectors.http import Work
from syncadmin.connectors.marketo import (
    admin,
    checks,
    extract,
    feeds,
    queries,
    requests,
    responses,
    rows,
    writes,
)
from syncadmin.connectors.marketo.account import Account
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.marketo.values import Columns
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.probes import all_of
from syncadmin.engine.records import Lane, Record, Ref, Side, Table
from syncadmin.engine.schema import Schema

_LONGEST_WINDOW = timedelta(days=31)


class Marketo:
    """One account. Copies made by ``for_work`` share token, connections and what is known of the fields.

    ``columns`` are the fields as last described; without them they are asked for when first needed, since
    Marketo's answers do not tell a number that is money from one that is a count.
    """

    side = Side.MARKETO

    def __init__(
        self,
        config: MarketoConfig,
        *,
        budget: Budget,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rnd: random.Random,
        transport: httpx.BaseTransport | None = None,
        columns: Columns | None = None,
    ) -> None:
        self._account = Account(config, budget, clock, sleep, rnd, transport, columns)
        self._work = Work()

    def for_work(self, lane: Lane, purpose: str, deadline: datetime | None = None) -> Self:
        other = copy.copy(self)
        other._work = Work(lane, purpose, deadline)
        return other

    def close(self) -> None:
        self._account.close()

    # --- what both systems can be asked

    def check(self) -> list[Check]:
        return all_of(self.probes())

    def probes(self) -> Sequence[Probe]:
        account = self._account
        return checks.probes(self._send, lambda: account.user(self._work), self.usage, account.clock, account.config)

    def identity(self) -> Identity:
        return Identity(account=self._account.config.account, user=self._account.user(self._work))

    def schema(self, table: Table) -> Schema:
        _people_only(table)
        return self._account.read_schema(self._work)

    def fetch(self, refs: Sequence[Ref], columns: Sequence[str]) -> Fetched:
        asked = list(dict.fromkeys(ref.id for ref in refs if ref.id.isascii() and ref.id.isdigit()))
        found = queries.people(self._send, "id", asked, _fields(columns))
        known = {record.ref.id: record for record in responses.people(found, columns, self._columns())}
        return Fetched(tuple(known[id] for id in asked if id in known))

    def find(self, table: Table, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Record]:
        """People whose field equals one of the values, whatever the case.

        A value with a comma cannot be asked for and finds nobody; nor does one that more than 1,000 people share.
        """
        _people_only(table)
        asked = queries.askable(values)
        # Verified here too: what Marketo makes of an odd value must never link two strangers.
        wanted = {text.casefold() for text in asked}
        found = queries.people(self._send, column, asked, _fields([column, *columns]))
        matching = [row for row in found if str(responses.mapping(row).get(column)).strip().casefold() in wanted]
        unique = {record.ref: record for record in responses.people(matching, columns, self._columns())}
        return list(unique.values())

    def create(self, items: Sequence[Create], *, lookup: str = "email", partition: str = "") -> list[Outcome]:
        where = partition or self._account.config.partition
        sent, refused = rows.creates(items, lookup, self._columns())
        return writes.carry_out(
            sent, refused, lambda part: self._send(requests.write_leads("createOnly", lookup, part, where))
        )

    def update(self, items: Sequence[Update]) -> list[Outcome]:
        sent, refused = rows.updates(items, self._columns())
        return writes.carry_out(sent, refused, lambda part: self._send(requests.write_leads("updateOnly", "id", part)))

    # --- feeds

    def paging_token(self, since: datetime) -> str:
        token = responses.envelope(self._send(requests.paging_token(since))).token
        if not token:
            raise Malformed("Marketo answered without a paging token.")
        return token

    def lead_changes(self, token: str, fields: Sequence[str]) -> LeadChanges:
        return feeds.lead_changes(self._feed(requests.lead_changes(token, fields)))

    def events(self, token: str, *, with_lists: bool) -> Events:
        types = [feeds.MERGED, feeds.LISTED] if with_lists else [feeds.MERGED]
        return feeds.events(self._feed(requests.activities(token, types)))

    def deleted(self, token: str) -> Page:
        return feeds.deleted(self._feed(requests.deleted_leads(token)))

    def _feed(self, request: Request) -> responses.Envelope:
        try:
            return responses.envelope(self._send(request))
        except Refused as error:
            raise feeds.translated(error) from error

    # --- lists, partitions, use

    def lists(self) -> list[StaticList]:
        return responses.static_lists(queries.pages(self._send, requests.lists))

    def members(self, list_id: str, token: str = "") -> Members:
        page = queries.found(self._send, requests.members(list_id, token))
        people = tuple(responses.person_id(responses.mapping(row).get("id")) for row in page.result)
        return Members(people, page.token, more=bool(page.token) and page.more is not False)

    def partitions(self) -> list[str]:
        return responses.names(responses.envelope(self._send(requests.partitions())).result)

    def usage(self) -> Usage:
        rows = queries.found(self._send, requests.usage()).result
        return responses.usage(rows, self._account.user(self._work))

    # --- what is ours over there

    def ensure_fields(self, fields: Sequence[NewField]) -> list[Outcome]:
        # Names may differ in case from what was stored, so describe is asked afresh.
        done = admin.ensure_fields(self._send, self.schema(Table.PERSON), fields)
        self._account.forget_columns()
        return done

    def ensure_activity_type(self, wanted: ActivityType) -> int:
        return admin.ensure_activity_type(self._send, wanted)

    def log(self, entries: Sequence[LogEntry]) -> list[Outcome]:
        sent, refused = rows.entries(entries)
        return writes.carry_out(sent, refused, lambda part: self._send(requests.log(part)), answers_people=False)

    # --- bulk extract

    def start_extract(self, fields: Sequence[str], since: datetime, until: datetime) -> Extract:
        """The job; state CREATED with a message where the queue or the day's volume has no room for it now."""
        if not timedelta(0) < until - since <= _LONGEST_WINDOW:
            raise Refused("An extract covers at most 31 days.", code="window")
        known = self._columns()
        exported = [name for name in _fields(fields) if not (name in known and known[name].computed)]
        # Marketo counts both ends in; ours is open at the end.
        request = requests.create_export(exported, since, until - timedelta(seconds=1))
        return extract.start(self._send, request, self._account.clock())

    def extract(self, id: str) -> Extract:
        return extract.status(self._send, id)

    def enqueue(self, id: str) -> Extract:
        """Raises ``Throttled`` while the queue is full, ``QuotaSpent`` when the day's volume is used up."""
        return extract.enqueue(self._send, id, self._account.clock())

    def cancel(self, id: str) -> None:
        self._send(requests.cancel_export(id))

    def read_extract(self, extract: Extract, fields: Sequence[str], start: int = 0) -> Iterator[tuple[Record, int]]:
        return _read_extract(self._send, extract, fields, self._columns(), start)

    # --- inside

    def _send(self, request: Request) -> Answer:
        return self._account.send(request, self._work)

    def _columns(self) -> Columns:
        return self._account.columns(self._work)


def _read_extract(
    send: Callable[[Request], Answer], job: Extract, fields: Sequence[str], columns: Columns, start: int
) -> Iterator[tuple[Record, int]]:
    def download(first: int, length: int) -> Answer:
        return send(requests.export_file(job.id, first, length))

    return extract.read(download, fields, columns, start)


def _fields(columns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(["id", "updatedAt", *columns]))


def _people_only(table: Table) -> None:
    if table is not Table.PERSON:
        raise ValueError(f"Marketo has no table {table}.")


def _conforms(marketo: Marketo) -> contract.MarketoConnector:
    """Lets the type checker compare the class with the contract."""
    return marketo
