"""Both sandboxes from outside: what people do there, what troubles they make, what really happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

OURS = "api:sandbox"
# Who works there by hand: a rival is somebody whom a trouble lets in right before our write.
PEOPLE = ("person", "rival")


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a truth log."""

    id: int
    at: datetime
    who: str
    entity: str
    record: str
    action: str
    field: str | None
    old: Any
    new: Any


class Desk:
    """``side`` is dynamics or marketo; ``entity`` is lead, contact or person."""

    def __init__(self, dynamics: str, marketo: str) -> None:
        self._sides = {
            "dynamics": httpx.Client(base_url=dynamics, timeout=60, trust_env=False),
            "marketo": httpx.Client(base_url=marketo, timeout=60, trust_env=False),
        }

    def close(self) -> None:
        for client in self._sides.values():
            client.close()

    def create(self, entity: str, values: dict[str, Any]) -> str:
        return str(self._post(entity, "create", {"entity": entity, "values": values})["id"])

    def edit(self, entity: str, record: str, changes: dict[str, Any]) -> bool:
        """False if the record has gone."""
        return self._tried(entity, "edit", {"entity": entity, "id": record, "changes": changes})

    def delete(self, entity: str, record: str) -> bool:
        return self._tried(entity, "delete", {"entity": entity, "id": record})

    def sync_person(self, person: str, sync_as: str) -> None:
        """What the trigger campaign does; its webhook may fail, as the real one may."""
        self._sides["marketo"].post("/_sandbox/sync-person", json={"id": person, "syncAs": sync_as})

    def rows(self, entity: str) -> list[dict[str, Any]]:
        side = side_of(entity)
        return _lines(self._sides[side].get("/_sandbox/rows", params={"entity": entity}))

    def truth(self, side: str, since: int = 0) -> list[Happened]:
        lines = _lines(self._sides[side].get("/_sandbox/truth", params={"since": since}))
        return [Happened(**{**line, "at": datetime.fromisoformat(line["at"])}) for line in lines]

    def trouble(self, side: str, kind: str, **more: Any) -> None:
        """Orders a trouble; see docs/sandbox.md."""
        self._sides[side].post("/_sandbox/faults", json={"kind": kind, **more}).raise_for_status()

    def waiting(self, side: str) -> int:
        """How many orders for trouble are still to be carried out."""
        return len(self._sides[side].get("/_sandbox/faults").raise_for_status().json())

    def row(self, person: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._sides["marketo"].get("/_sandbox/row", params={"id": person}).json()
        return found

    def no_trouble(self) -> None:
        for client in self._sides.values():
            client.delete("/_sandbox/faults").raise_for_status()

    def control(self, side: str, verb: str, body: dict[str, Any]) -> None:
        self._sides[side].post(f"/_sandbox/{verb}", json=body).raise_for_status()

    def _post(self, entity: str, verb: str, body: dict[str, Any]) -> Any:
        return self._sides[side_of(entity)].post(f"/_sandbox/{verb}", json=body).raise_for_status().json()

    def _tried(self, entity: str, verb: str, body: dict[str, Any]) -> bool:
        answer = self._sides[side_of(entity)].post(f"/_sandbox/{verb}", json=body)
        if answer.status_code in (400, 404):
            return False
        answer.raise_for_status()
        return True


def side_of(entity: str) -> str:
    return "marketo" if entity == "person" else "dynamics"


def _lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.raise_for_status().text.splitlines() if line.strip()]
