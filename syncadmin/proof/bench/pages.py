"""`bench pages`: how long the server takes for each page, asked in this process through the whole middleware."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from syncadmin.proof.bench import addresses, kept, seed
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.services import roles

LIMIT = 50.0
_WARM = 3


def pages(wanted: Options) -> Result:
    """Milliseconds by page: the 50th and 95th of a hundred, and the longest; ``busy_`` of them at work. ``slow`` lists
    those over the limit; ``other_answers`` has the status of addresses that answered no page."""
    with kept.serving(wanted.folder):
        if not seed.held():
            raise NotMeasured(f"there is nobody in {wanted.folder}: run `bench seed` with that --folder first")
        return measure(wanted.requests)


def measure(requests: int) -> Result:
    """Asks every address of the table as an administrator, ``requests`` times."""
    client = signed_in()
    told: dict[str, dict[str, float]] = {}
    others: dict[str, int] = {}
    with override_settings(ALLOWED_HOSTS=["*"]):
        asked = addresses.every(client)
        for name, address in asked.items():
            status = client.get(address).status_code
            if status == 200:
                told[name] = _measured(client, address, requests)
            else:
                others[name] = status
    slow = sorted(name for name, figures in told.items() if figures["p95"] >= LIMIT)
    return {"requests": requests, "limit": LIMIT, "slow": slow, "other_answers": others, "pages": told}


def signed_in() -> Client:
    """An administrator, whose role is as the product makes it."""
    roles.ensure_groups()
    user, _ = User.objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="administrator"))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def _measured(client: Client, address: str, requests: int) -> dict[str, float]:
    for _ in range(_WARM):
        _once(client, address)
    asked = [_once(client, address) for _ in range(requests)]
    told = _spread([wall for wall, _ in asked], "")
    return told if any(busy is None for _, busy in asked) else told | _spread([busy or 0 for _, busy in asked], "busy_")


def _spread(taken: list[float], name: str) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        f"{name}p50": round(statistics.median(ordered), 1),
        f"{name}p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
        f"{name}max": round(ordered[-1], 1),
    }


def _once(client: Client, address: str) -> tuple[float, float | None]:
    """Milliseconds by the clock, and those in which this process or the database's was at work: on a machine that does
    other things as well only the second says what a page costs. Of a streamed file its beginning is waited for."""
    worked, begun = _worked(), time.perf_counter()
    answer = client.get(address)
    if answer.streaming:
        next(iter(answer))
        answer.close()
    wall = (time.perf_counter() - begun) * 1000
    since = _worked()
    return wall, None if worked is None or since is None else since - worked


def _worked() -> float | None:
    """Milliseconds of processor time so far, ours and our database session's; Linux tells the latter."""
    session = connection.connection
    if session is None:
        return None
    told = Path(f"/proc/{session.info.backend_pid}/schedstat")
    if not told.exists():
        return None
    return time.process_time_ns() / 1e6 + int(told.read_text().split()[0]) / 1e6
