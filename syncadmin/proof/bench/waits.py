"""How long somebody waits: from an edit to the other side, for the webhook's answer, and while a backfill runs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from syncadmin.engine.records import Side
from syncadmin.proof.bench.changes import in_step
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.population import Human, human
from syncadmin.proof.bench.stage import Stage, stage
from syncadmin.services import connect, cycle
from syncadmin.store.models import Link

_SAMPLES = 20
_LONGEST = 120.0
_LOOK = 0.05
_BEAT = 1.0


def latency(wanted: Options) -> Result:
    """Seconds from a single edit to the other side, the loop running as it does in a rehearsal."""
    with _served(wanted) as found:
        in_step(found)
        _forget_the_past(found)
        with looping(found):
            times = [_edit_and_wait(found, number) for number in range(_samples(wanted))]
    return {"people": wanted.people, **spread(times)}


def backfill_live(wanted: Options) -> Result:
    """As ``latency``, while the first sync is under way; people already linked are edited."""
    times: list[float] = []
    with _served(wanted) as found, looping(found):
        _forget_the_past(found)
        while not found.done() and len(times) < _samples(wanted):
            linked = Link.objects.filter(marketo__isnull=False, dirty=False, agreed__has_key="lead.jobtitle:title")
            first = linked.order_by("id").values_list("dynamics", flat=True).first()
            if first is None:
                time.sleep(_LOOK)
                continue
            times.append(_edit_and_wait(found, len(times)))
        finished = found.done()
    return {"people": wanted.people, "over_before_the_last_edit": finished, **spread(times)}


def webhook(wanted: Options) -> Result:
    """Seconds until Sync Person's caller has its answer, for people who are only in Marketo."""
    with _served(wanted) as found, override_settings(SYNC_KEY="bench", ALLOWED_HOSTS=["*"]):
        in_step(found)
        assert found.served is not None
        fresh = [{"firstName": "New", "lastName": f"Person {each}", "email": f"new.{each}@fresh.example",
                  "company": "Fresh"} for each in range(_samples(wanted) * 2)]  # fmt: skip
        ids = found.served.order(Side.MARKETO, "load", {"entity": "person", "rows": fresh})["ids"]
        with patch.object(connect, "real_world", lambda: found.outside):
            times = [_ask(id) for id in ids]
    answers = {word: sum(1 for _, said in times if said == word) for word in {said for _, said in times}}
    return {"people": wanted.people, "answers": answers, **spread([seconds for seconds, _ in times])}


def _ask(id: str) -> tuple[float, str]:
    begun = time.perf_counter()
    answer = Client().post(
        "/hooks/marketo/sync-person",
        {"personId": int(id), "syncAs": "lead"},
        content_type="application/json",
        headers={"X-Sync-Key": django_settings.SYNC_KEY},
    )
    return time.perf_counter() - begun, str(answer.json().get("status"))


@contextmanager
def _served(wanted: Options) -> Iterator[Stage]:
    if wanted.canned:
        raise NotMeasured("this case needs systems that several processes can ask: leave --canned away")
    with stage(wanted) as found:
        yield found


def _samples(wanted: Options) -> int:
    return max(4, min(_SAMPLES, wanted.people // 100))


@contextmanager
def looping(found: Stage) -> Iterator[None]:
    """The background loop in a thread of its own, rung once a second."""
    over = threading.Event()

    def loop() -> None:
        try:
            while not over.wait(_BEAT):
                if cycle.due(found.outside.now()):
                    found.run()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(loop)
        try:
            yield
        finally:
            over.set()
        running.result()


def _edit_and_wait(found: Stage, place: int) -> float:
    """One edit, in Dynamics or in Marketo by turns, and the seconds until the other side has it."""
    chance = random.Random(place)
    time.sleep(chance.random() * 3)
    one, value = human(place * 5), f"Edited {place}"
    begun = time.perf_counter()
    if place % 2 == 0:
        _order(found, Side.DYNAMICS, {"entity": one.table, "id": one.guid, "changes": {"jobtitle": value}})
        return _until(found, Side.MARKETO, one, value, begun)
    _order(found, Side.MARKETO, {"entity": "person", "id": _person(found, one), "changes": {"title": value}})
    return _until(found, Side.DYNAMICS, one, value, begun)


def _forget_the_past(found: Stage) -> None:
    assert found.served is not None
    for side in Side:
        found.served.truth(side)


def _order(found: Stage, side: Side, body: Any) -> None:
    assert found.served is not None
    found.served.order(side, "edit", body)


def _person(found: Stage, one: Human) -> str:
    assert found.served is not None
    return found.served.people[one.number]


def _until(found: Stage, side: Side, one: Human, value: str, begun: float) -> float:
    assert found.served is not None
    key = one.guid if side is Side.DYNAMICS else found.served.people[one.number]
    while time.perf_counter() - begun < _LONGEST:
        if any(entry["record"] == key and entry["new"] == value for entry in found.served.truth(side)):
            return time.perf_counter() - begun
        time.sleep(_LOOK)
    raise NotMeasured(f"the edit of {key} did not reach {side} within {_LONGEST} seconds")


def spread(times: list[float]) -> Result:
    """Median and tail of measured seconds."""
    ordered = sorted(times)
    if not ordered:
        return {"samples": 0}
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in
          (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    return {"samples": len(ordered), **{name: round(value, 3) for name, value in at.items()}}
