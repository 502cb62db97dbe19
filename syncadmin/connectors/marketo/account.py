"""One account's connections, token and field types, shared by all work of a process."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property

import httpx

from syncadmin.connectors.budget import Budget, Unlimited
from syncadmin.connectors.errors import PermissionMissing
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.marketo import auth, codes, metadata, queries, requests, responses
from syncadmin.connectors.marketo.auth import Tokens
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.marketo.values import Columns
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.records import Side
from syncadmin.engine.schema import Schema

# Field types hardly ever change; a day would do, an hour is what the rest of the metadata is refreshed by.
KNOWN_FOR = timedelta(hours=1)


class Account:
    """Built without a call and without checking the address: that happens at the first use."""

    def __init__(
        self,
        config: MarketoConfig,
        budget: Budget,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rnd: random.Random,
        transport: httpx.BaseTransport | None,
        columns: Columns | None,
    ) -> None:
        self.config, self.clock = config, clock
        self._budget, self._sleep, self._rnd, self._transport = budget, sleep, rnd, transport
        self._known = columns
        self._known_until = clock() + KNOWN_FOR if columns is not None else None

    def send(self, request: Request, work: Work) -> Answer:
        return self._http.for_work(work).send(request)

    def user(self, work: Work) -> str:
        """The API user's name. Signs in if need be, so raises what signing in raises."""
        return self._tokens.current(work).user

    def read_schema(self, work: Work) -> Schema:
        """Everything three calls tell of the fields; the third is optional, for it takes a permission of its own."""
        described = responses.envelope(self.send(requests.describe(), work)).result
        second = responses.envelope(self.send(requests.describe2(), work)).result
        try:
            details = list(queries.pages(lambda request: self.send(request, work), requests.schema_fields))
        except PermissionMissing:
            details = []  # check() reports it; only the mark "custom field" is unknown without it
        schema = metadata.schema(described, second, details)
        self._remember(schema.columns)
        return schema

    def columns(self, work: Work) -> Columns:
        """Fields by name; their types are what matters."""
        if self._known is not None and self._known_until is not None and self.clock() < self._known_until:
            return self._known
        described = responses.envelope(self.send(requests.describe(), work)).result
        return self._remember(metadata.schema(described, (), ()).columns)

    def forget_columns(self) -> None:
        self._known = None

    def close(self) -> None:
        for made in ("_http", "_identity"):
            if made in self.__dict__:
                self.__dict__[made].close()

    def _remember(self, columns: Columns) -> Columns:
        self._known, self._known_until = columns, self.clock() + KNOWN_FOR
        return columns

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self.config, self._identity, self.clock)

    @cached_property
    def _identity(self) -> Http:
        # Signing in counts neither against the quota nor against the rate.
        return Http(
            self.config.identity_root,
            side=Side.MARKETO,
            budget=Unlimited(),
            clock=self.clock,
            sleep=self._sleep,
            rnd=self._rnd,
            transport=self._transport,
            judge=auth.judge,
            allow_private=self.config.allow_private,
        )

    @cached_property
    def _http(self) -> Http:
        return Http(
            self.config.root,
            side=Side.MARKETO,
            budget=self._budget,
            clock=self.clock,
            sleep=self._sleep,
            rnd=self._rnd,
            auth=self._tokens,
            transport=self._transport,
            judge=codes.judge,
            allow_private=self.config.allow_private,
        )
