"""`bench pages`: how long the server takes for each page, asked in this process through the whole middleware."""

from __future__ import annotations

import statistics
import time
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.test.utils import override_settings

from syncadmin.proof.bench import addresses, kept
from syncadmin.proof.bench.options import Options, Result
from syncadmin.services import roles

LIMIT = 50.0
_WARM = 3


def pages(wanted: Options) -> Result:
    """Milliseconds by page: the 50th and 95th of a hundred, and the longest. ``slow`` lists those over the limit;
    ``other_answers`` has the status of addresses that answered no page."""
    with kept.serving(wanted.folder):
        return measure(wanted.requests)


def measure(requests: int) -> Result:
    """Asks every address of the table as an administrator, ``requests`` times."""
    client = _signed_in()
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


def _signed_in() -> Client:
    roles.ensure_groups()
    user, _ = User.objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="administrator"))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def _measured(client: Client, address: str, requests: int) -> dict[str, Any]:
    for _ in range(_WARM):
        _once(client, address)
    taken = sorted(_once(client, address) for _ in range(requests))
    return {
        "p50": round(statistics.median(taken), 1),
        "p95": round(taken[min(len(taken) - 1, int(len(taken) * 0.95))], 1),
        "max": round(taken[-1], 1),
    }


def _once(client: Client, address: str) -> float:
    """Milliseconds. Of a streamed file only its beginning is waited for."""
    begun = time.perf_counter()
    answer = client.get(address)
    if answer.streaming:
        next(iter(answer))
        answer.close()
    return (time.perf_counter() - begun) * 1000
