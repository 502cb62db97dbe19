"""The systems the contract is tried on: both sandboxes in process, and real tenants where the environment names them.

``Hand`` is somebody else working over there: it changes records by the vendor's own protocol, past our connector.
"""

from __future__ import annotations

import os
import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep as really_sleep
from typing import Any

import httpx

from syncadmin.connectors.contract import Connector, Create, Update
from syncadmin.connectors.dynamics.auth import DynamicsConfig, TokenCache
from syncadmin.connectors.dynamics.connector import Dynamics
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.engine.records import Raw, Record, Ref, Side, Table
from tests.connectors.world import Clock, Remembering

ENVIRONMENT = {
    Side.DYNAMICS: ("URL", "TENANT", "CLIENT_ID", "CLIENT_SECRET"),
    Side.MARKETO: ("URL", "CLIENT_ID", "CLIENT_SECRET"),
}


def setting(side: Side, name: str) -> str:
    return os.environ.get(f"SYNCADMIN_TEST_{side.upper()}_{name}", "")


def has_tenant(side: Side) -> bool:
    return all(setting(side, name) for name in ENVIRONMENT[side])


class RealTime(Clock):
    """The clock of a real tenant."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        really_sleep(seconds)


@dataclass
class System(ABC):
    """One system to try the contract on, and the words it uses for the same things."""

    real: bool
    clock: Clock
    budget: Remembering
    transport: httpx.BaseTransport | None
    made: list[Ref]

    table: Table
    last_name: str
    email: str
    title: str
    number: str

    @abstractmethod
    def connect(self, *, secret: str = "") -> Connector:
        """A new connection; with the secret of the system unless another one is given."""

    @abstractmethod
    def erase(self, ref: Ref) -> None:
        """Somebody deletes a record over there."""

    @abstractmethod
    def new(self, **values: Raw) -> Create:
        """A create with values of its own, so that a real tenant's data is not met."""

    @property
    @abstractmethod
    def nobody(self) -> Ref:
        """A well-formed reference to a record that was never there."""

    def client(self, base_url: str) -> httpx.Client:
        return httpx.Client(base_url=base_url, transport=self.transport)

    def address(self, name: str) -> str:
        return f"{name}.{uuid.uuid4().hex[:10]}@contract.example"

    def make(self, connector: Connector, **values: Raw) -> Ref:
        """Creates a record and sees to its removal from a real tenant."""
        outcome = connector.create([self.new(**values)])[0]
        assert outcome.ref is not None, outcome
        self.made.append(outcome.ref)
        return outcome.ref

    def read(self, connector: Connector, ref: Ref, *columns: str) -> Record:
        found = connector.fetch([ref], list(columns) or [self.last_name, self.title])
        assert [record.ref for record in found.records] == [ref]
        return found.records[0]

    def change(self, connector: Connector, ref: Ref, **values: Raw) -> None:
        outcome = connector.update([Update(ref, values)])[0]
        assert outcome.status == "updated", outcome

    def clean(self) -> None:
        for ref in self.made if self.real else []:
            self.erase(ref)


class DynamicsSystem(System):
    def __init__(self, *, real: bool) -> None:
        self.sandbox: Any = None
        clock = RealTime() if real else Clock()
        transport = None if real else self._start(clock)
        names = {"last_name": "lastname", "email": "emailaddress1", "title": "jobtitle", "number": "numberofemployees"}
        super().__init__(real, clock, Remembering(), transport, [], Table.LEAD, **names)
        url = setting(Side.DYNAMICS, "URL") if real else "http://127.0.0.1:8101"
        self.config = DynamicsConfig(
            url,
            setting(Side.DYNAMICS, "TENANT") if real else "sandbox",
            setting(Side.DYNAMICS, "CLIENT_ID") if real else "sandbox",
            setting(Side.DYNAMICS, "CLIENT_SECRET") if real else "sandbox-secret",
            authority=(setting(Side.DYNAMICS, "AUTHORITY") or "https://login.microsoftonline.com") if real else url,
            allow_private=not real,
        )

    def _start(self, clock: Callable[[], datetime]) -> httpx.BaseTransport:
        from syncadmin.sandbox.dynamics import DynamicsSandbox

        self.sandbox = DynamicsSandbox(clock=clock, seed=1, base_url="http://127.0.0.1:8101")
        return httpx.WSGITransport(app=self.sandbox)

    def connect(self, *, secret: str = "", page_size: int = 5000) -> Dynamics:
        config = self.config
        if secret:
            config = DynamicsConfig(
                config.base_url, config.tenant, config.client_id, secret, config.authority, config.allow_private
            )
        return Dynamics(
            config,
            budget=self.budget,
            clock=self.clock,
            sleep=self.clock.sleep,
            rnd=random.Random(5),
            transport=self.transport,
            tokens=TokenCache(),
            page_size=page_size,
        )

    def new(self, **values: Raw) -> Create:
        named: dict[str, Raw] = {"subject": "Contract", "lastname": "Solheim", **values}
        return Create(Table.LEAD, named, Ref(Table.LEAD, str(uuid.uuid4())))

    @property
    def nobody(self) -> Ref:
        return Ref(Table.LEAD, str(uuid.uuid4()))

    def erase(self, ref: Ref) -> None:
        answer = self._hand("DELETE", f"{ref.table}s({ref.id})")
        assert answer.status_code in (204, 404), answer.text

    def _hand(self, method: str, path: str) -> httpx.Response:
        config = self.config
        form = {
            "grant_type": "client_credentials",
            "client_id": config.client_id,
            "client_secret": config.client_secret,
            "scope": config.scope,
        }
        with self.client(config.authority) as client:
            token = client.post(f"/{config.tenant}/oauth2/v2.0/token", data=form).json()["access_token"]
        with self.client(config.base_url) as client:
            return client.request(method, f"/api/data/v9.2/{path}", headers={"Authorization": f"Bearer {token}"})


class MarketoSystem(System):
    def __init__(self, *, real: bool) -> None:
        self.sandbox: Any = None
        clock = RealTime() if real else Clock()
        transport = None if real else self._start(clock)
        names = {"last_name": "lastName", "email": "email", "title": "title", "number": "numberOfEmployees"}
        super().__init__(real, clock, Remembering(), transport, [], Table.PERSON, **names)
        self.config = MarketoConfig(
            setting(Side.MARKETO, "URL") if real else "http://127.0.0.1:8102",
            setting(Side.MARKETO, "CLIENT_ID") if real else "sandbox",
            setting(Side.MARKETO, "CLIENT_SECRET") if real else "sandbox-secret",
            allow_private=not real,
        )

    def _start(self, clock: Callable[[], datetime]) -> httpx.BaseTransport:
        from syncadmin.sandbox.marketo import MarketoSandbox

        self.sandbox = MarketoSandbox(clock=clock, seed=1, base_url="http://127.0.0.1:8102")
        return httpx.WSGITransport(app=self.sandbox)

    def connect(self, *, secret: str = "") -> Marketo:
        config = self.config
        if secret:
            config = MarketoConfig(config.base_url, config.client_id, secret, allow_private=config.allow_private)
        return Marketo(
            config,
            budget=self.budget,
            clock=self.clock,
            sleep=self.clock.sleep,
            rnd=random.Random(5),
            transport=self.transport,
        )

    def new(self, **values: Raw) -> Create:
        named: dict[str, Raw] = {"lastName": "Solheim", "email": self.address("ida"), **values}
        return Create(Table.PERSON, named)

    @property
    def nobody(self) -> Ref:
        return Ref(Table.PERSON, "2000000000")

    def erase(self, ref: Ref) -> None:
        with self.client(self.config.root) as client:
            asked: Mapping[str, str] = {
                "grant_type": "client_credentials",
                "client_id": self.config.client_id,
                "client_secret": self.config.client_secret,
            }
            token = client.get("/identity/oauth/token", params=dict(asked)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            answer = client.post("/rest/v1/leads/delete.json", json={"input": [{"id": int(ref.id)}]}, headers=headers)
        assert answer.json()["success"], answer.text


def later(system: System, **span: float) -> None:
    """Lets time pass: at once in the sandbox; a real system is not waited for."""
    if not system.real:
        system.clock.now += timedelta(**span)
