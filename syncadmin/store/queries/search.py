"""What is typed into the search box and chosen as a state, made ready for the list of people."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from enum import StrEnum

from syncadmin.store import folding


class State(StrEnum):
    """How a person stands; several may be true at once. Each is a column of the list."""

    IN_STEP = "in_step"
    WAITING = "waiting"
    FAILED = "failed"
    CONFLICT = "conflict"
    DECISION = "decision"
    STOPPED = "stopped"
    DELETED = "deleted"
    ONLY_DYNAMICS = "only_dynamics"
    ONLY_MARKETO = "only_marketo"


class Sort(StrEnum):
    """The two orders of the list, each with its index. What is searched for stands in the order of its words."""

    NAME = "name"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class Asked:
    """``beginnings`` are folded; all of them must fit. ``guid`` or ``person`` where a whole id was typed."""

    state: State | None = None
    sort: Sort = Sort.NAME
    beginnings: tuple[str, ...] = ()
    guid: uuid.UUID | None = None
    person: int | None = None
    typed: bool = False
    too_short: bool = False

    @property
    def flag(self) -> str:
        """The column that must be true."""
        return self.state.value if self.state else "present"

    @property
    def by_id(self) -> bool:
        return self.guid is not None or self.person is not None


def read(text: str, state: State | None, sort: Sort = Sort.NAME) -> Asked:
    """A GUID is an id, a number an id or a beginning; the rest beginnings of words or of the address."""
    typed = text.replace("\0", "").strip()[:320]
    guid = _guid(typed)
    if guid:
        return Asked(state, sort, guid=guid, typed=True)
    beginnings = tuple(folding.looked_for(typed))[:6]
    person = int(typed) if re.fullmatch(r"[0-9]{1,18}", typed) else None
    if beginnings and not any(folding.long_enough(each) for each in beginnings):
        return Asked(state, sort, person=person, typed=person is not None, too_short=True)
    return Asked(state, sort, beginnings, person=person, typed=bool(typed))


def _guid(typed: str) -> uuid.UUID | None:
    if re.fullmatch(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?", typed):
        return uuid.UUID(typed.strip("{}"))
    return None
