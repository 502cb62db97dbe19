"""A clock that moves when somebody sleeps, a budget that remembers, and a connection over a scripted network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from syncadmin.connectors.http import Http
from syncadmin.engine.records import Lane, Side

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Clock:
    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Remembering:
    """A budget that grants everything and writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Lane, str]] = []
        self.pauses: list[datetime] = []
        self.hints: list[int] = []

    @contextmanager
    def call(self, side: Side, lane: Lane, purpose: str, deadline: datetime | None) -> Iterator[None]:
        self.calls.append((lane, purpose))
        yield

    def pause(self, side: Side, until: datetime) -> None:
        self.pauses.append(until)

    def hint(self, side: Side, at_once: int) -> None:
        self.hints.append(at_once)


class Network:
    """Answers requests from a script, in order; the last reply repeats. Keeps what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


def connection(network: Network, clock: Clock, budget: Remembering, **settings: object) -> Http:
    arguments = {"base_url": "https://norvik.crm4.dynamics.com", "side": Side.DYNAMICS} | settings
    return Http(
        budget=budget,
        clock=clock,
        sleep=clock.sleep,
        rnd=random.Random(7),
        transport=network.transport,
        **arguments,  # type: ignore[arg-type]
    )
