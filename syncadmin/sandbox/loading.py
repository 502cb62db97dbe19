"""`python -m syncadmin.sandbox load`: a CSV file into a running sandbox, or into the folder of one at rest."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import csvload

# Keeps each request small against the bodies a server should have to hold at once.
_BATCH = 2000
URLS = {"dynamics": "http://127.0.0.1:8101", "marketo": "http://127.0.0.1:8102"}
# Takes a batch in; gives (position in the batch, reason) of each row the system refused by itself.
Refused = list[tuple[int, str]]
Put = Callable[[str, list[dict[str, Any]]], Refused]


class LoadFailed(Exception):
    """Nothing (or only whole batches before this one) was loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class Report:
    loaded: int
    mapped: dict[str, str]
    skipped: list[str]
    refused: Refused

    def lines(self) -> list[str]:
        """What to print, one sentence a line."""
        found = [f"{header} -> {field}" for header, field in self.mapped.items()]
        if self.skipped:
            found.append(f"skipped (no such field): {', '.join(self.skipped)}")
        found += [f"row {position + 1} refused: {reason}" for position, reason in self.refused]
        return [*found, f"{self.loaded} rows loaded"]


def load_file(path: Path, side: str, entity: str, put: Put) -> Report:
    """Read the file and hand its rows on in batches. Raises LoadFailed."""
    try:
        with path.open("rb") as file:
            rows, mapped, skipped = csvload.read(file, side, entity)
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path}: {error}") from error
    # Probably the wrong delimiter or not a list of people: loading empty rows would help nobody.
    if not mapped:
        raise LoadFailed(f"{path}: none of its columns is known: {', '.join(skipped)}")
    refused: Refused = []
    for start in range(0, len(rows), _BATCH):
        refused += [(start + position, why) for position, why in put(entity, rows[start : start + _BATCH])]
    return Report(len(rows) - len(refused), mapped, skipped, refused)


def over_http(url: str) -> Put:
    """Into a running server."""

    def put(entity: str, rows: list[dict[str, Any]]) -> Refused:
        body = json.dumps({"entity": entity, "rows": rows, "dedupe": True}).encode()
        target = f"{url.rstrip('/')}/_sandbox/load"
        request = urllib.request.Request(target, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise LoadFailed(f"the sandbox refused: {error.read().decode('utf-8', 'replace')}") from error
        except OSError as error:
            raise LoadFailed(f"no sandbox answers at {url}: {error}") from error
        return [(position, why) for position, why in told.get("refused", [])]

    return put


def into(sandbox: Any) -> Put:
    """Into a sandbox object of this process."""

    def put(entity: str, rows: list[dict[str, Any]]) -> Refused:
        # Marketo's list import updates people it knows by e-mail; the CRM's import does not look.
        more = {"dedupe": True} if entity == "person" else {}
        try:
            found = sandbox.load(entity, rows, **more)
        except ValueError as error:
            raise LoadFailed(str(error)) from error
        # Marketo answers ids and takes a batch whole or not at all.
        return [] if entity == "person" else found

    return put


def default_entity(side: str) -> str:
    return "lead" if side == "dynamics" else "person"
