"""Dynamics 365 as the services see it: the Dataverse Web API behind the contract of ``connectors/contract.py``."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from syncadmin.connectors.budget import Budget
from syncadmin.connectors.contract import Check, Create, Fetched, Identity, Outcome, Page, Probe, Update, User
from syncadmin.connectors.dynamics import checks, metadata, requests, responses
from syncadmin.connectors.dynamics.auth import PROCESS_TOKENS, DynamicsAuth, DynamicsConfig, TokenCache
from syncadmin.connectors.dynamics.metadata import Organisation
from syncadmin.connectors.dynamics.names import is_guid
from syncadmin.connectors.dynamics.pace import Pace
from syncadmin.connectors.dynamics.reading import Reader
from syncadmin.connectors.dynamics.refusals import judge
from syncadmin.connectors.dynamics.signin import token_judge
from syncadmin.connectors.dynamics.writing import Writer
from syncadmin.connectors.errors import PermissionMissing, Refused
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.probes import all_of
from syncadmin.engine.records import Lane, Raw, Record, Ref, Side, Table
from syncadmin.engine.schema import Schema

SCHEMA_LIFE = timedelta(hours=1)
# A column it lacks may be new; asking at every call would cost sixteen calls each time.
SCHEMA_PATIENCE = timedelta(minutes=5)
_ID_HEADERS = ("x-ms-client-request-id", "x-ms-correlation-id")


@dataclass(slots=True)
class _Shared:
    """What all copies of one connector have learnt."""

    pace: Pace = field(default_factory=Pace)
    schemas: dict[Table, tuple[Schema, datetime]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0


class Dynamics:
    """One organisation. ``schemas`` saves reading the metadata when the caller has it stored."""

    side = Side.DYNAMICS

    def __init__(
        self,
        config: DynamicsConfig,
        *,
        budget: Budget,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rnd: random.Random,
        transport: httpx.BaseTransport | None = None,
        tokens: TokenCache = PROCESS_TOKENS,
        schemas: Mapping[Table, Schema] | None = None,
        page_size: int = requests.PAGE_SIZE,
    ) -> None:
        self._shared = _Shared(schemas={table: (schema, clock()) for table, schema in (schemas or {}).items()})
        self._page_size = page_size

        def connected(address: str, **more: Any) -> Http:
            return Http(
                address,
                side=Side.DYNAMICS,
                budget=budget,
                clock=clock,
                sleep=sleep,
                rnd=rnd,
                transport=transport,
                allow_private=config.allow_private,
                **more,
            )

        self._authority = connected(config.authority, judge=token_judge)
        self._auth = DynamicsAuth(config, self._authority, tokens)
        self._http = connected(config.base_url, auth=self._auth, judge=judge, id_headers=_ID_HEADERS)

    def for_work(self, lane: Lane, purpose: str, deadline: datetime | None = None) -> Self:
        other = copy.copy(self)
        other._http = self._http.for_work(Work(lane, purpose, deadline))
        return other

    def close(self) -> None:
        self._authority.close()
        self._http.close()

    def check(self, *, probe_id: str = "") -> list[Check]:
        """``probe_id`` is a fresh random GUID; with it the rights to write are tried too, changing nothing."""
        return all_of(self.probes(probe_id=probe_id))

    def probes(self, *, probe_id: str = "") -> Sequence[Probe]:
        """The same checks, to be made one at a time."""

        def sign_in() -> None:
            self._auth.sign_in(self._http.work)

        return checks.probes(self._call, self._identity, sign_in, self._http.clock, probe_id)

    def identity(self) -> Identity:
        return self._identity(self._call(requests.get("WhoAmI")))

    def schema(self, table: Table) -> Schema:
        """Reads the metadata afresh."""
        rows = self._attributes(table)
        schema = metadata.read(lambda request: responses.rows_of(self._call(request)), table, rows, self._organisation)
        with self._shared.lock:
            self._shared.schemas[table] = schema, self._http.clock()
        return schema

    def full_read(self, table: Table, columns: Sequence[str], cursor: str = "") -> Page:
        if cursor:
            return self._reader().next_page(table, columns, cursor, tracked=True)
        return self._reader().first_page(table, columns)

    def changes(self, table: Table, columns: Sequence[str], cursor: str) -> Page:
        return self._reader().next_page(table, columns, cursor, tracked=True)

    def modified_since(self, table: Table, columns: Sequence[str], since: datetime, cursor: str = "") -> Page:
        if cursor:
            return self._reader().next_page(table, columns, cursor, tracked=False)
        return self._reader().modified_since(table, columns, since)

    def fetch(self, refs: Sequence[Ref], columns: Sequence[str]) -> Fetched:
        return self._reader().fetch(refs, columns)

    def find(self, table: Table, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Record]:
        return self._reader().find(table, column, values, columns)

    def count(self, table: Table, column: str = "", value: Raw = None) -> int:
        """How many records hold the value (None: nothing); without a column all. 5,001: more than 5,000."""
        return responses.count(self._call(requests.count(table, requests.equals(column, value) if column else "")))

    def total(self, table: Table) -> int:
        """About how many records the table has: the server counts once a day."""
        return responses.total(self._call(requests.total(table)))

    def users(self, *, id: str = "", email: str = "") -> list[User]:
        """Users by id or by address; all of them when neither is given."""
        if id and not is_guid(id):
            return []
        request: Request | None = requests.users(requests.user_condition(id, email.strip()))
        found: list[User] = []
        # An organisation may have more users than one page holds.
        while request is not None:
            answer = self._call(request)
            found += responses.users(answer)
            link = responses.next_link(answer)
            request = requests.follow(link, size=self._page_size, annotated=False, tracked=False) if link else None
        return found

    def create(self, items: Sequence[Create], *, detect_duplicates: bool = False) -> list[Outcome]:
        return self._writer().create(items, detect_duplicates=detect_duplicates)

    def update(self, items: Sequence[Update]) -> list[Outcome]:
        return self._writer().update(items)

    # Within

    def _reader(self) -> Reader:
        def ask_each(parts: Sequence[Any]) -> list[Answer]:
            return self._writer().ask_each(parts, safe_to_repeat=True)

        return Reader(self._http, self._call, self._known, ask_each, self._page_size)

    def _writer(self) -> Writer:
        return Writer(
            self._http, self._call, lambda table, columns: self._known(table, columns, False), self._shared.pace
        )

    def _call(self, request: Request) -> Answer:
        answer = self._http.send(request)
        hint = answer.headers.get("x-ms-dop-hint", "")
        # Told only when it changes: the budget writes it to the database.
        if hint.isdecimal() and int(hint) not in (0, self._shared.at_once):
            self._shared.at_once = int(hint)
            self._http.hint(int(hint))
        return answer

    def _known(self, table: Table, columns: Sequence[str], afresh: bool) -> Schema:
        known = self._shared.schemas.get(table)
        if known and not afresh:
            complete = all(name in known[0].columns for name in columns)
            if self._http.clock() - known[1] < (SCHEMA_LIFE if complete else SCHEMA_PATIENCE):
                return known[0]
        return self.schema(table)

    def _attributes(self, table: Table) -> list[dict[str, Any]]:
        try:
            return responses.rows_of(self._call(metadata.attributes(table, with_source=True)))
        except Refused:
            # Servers that do not know SourceType refuse the query; a second refusal is meant.
            return responses.rows_of(self._call(metadata.attributes(table, with_source=False)))

    def _identity(self, who: Answer) -> Identity:
        said = who.object()
        version = self._call(requests.get("RetrieveVersion")).object().get("Version")
        organisation = self._first("organizations", "name,organizationid,languagecode,expirechangetrackingindays")
        details = {name: str(organisation[name]) for name in organisation if not name.startswith("@")}
        return Identity(
            account=str(said.get("OrganizationId", "")).lower(),
            user=str(said.get("UserId", "")).lower(),
            name=details.get("name", ""),
            version=str(version or ""),
            details=details,
        )

    def _organisation(self, with_money: bool) -> Organisation:
        found = self._first("organizations", "languagecode").get("languagecode")
        language = found if isinstance(found, int) else 0
        if not with_money:
            return Organisation(language)
        pricing = self._first("organizations", "pricingdecimalprecision").get("pricingdecimalprecision")
        rows = self._rows("transactioncurrencies", "currencyprecision")
        # A row may be in any currency: the finest one loses nothing.
        precisions = [row["currencyprecision"] for row in rows if isinstance(row.get("currencyprecision"), int)]
        return Organisation(
            language,
            pricing if isinstance(pricing, int) else None,
            max(precisions, default=None),
        )

    def _first(self, entity_set: str, select: str) -> dict[str, Any]:
        return next(iter(self._rows(entity_set, select)), {})

    def _rows(self, entity_set: str, select: str) -> list[dict[str, Any]]:
        """Rows of a settings table; none where the role may not read it or the server lacks the column."""
        try:
            return responses.rows_of(self._call(requests.get(requests.query(entity_set, select=select))))
        except (PermissionMissing, Refused):
            return []  # the callers go on with less: no name, the column's own precision, labels as shown to us
