"""What our writes did to other people's work: nothing replaced unnoted, nothing blanked unasked, nobody made twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.proof.people import BY_COLUMN, BY_FIELD, FILTER, TAG, Field, Form, plain
from syncadmin.proof.witness import Witness
from syncadmin.proof.world import World
from syncadmin.sandbox.truth import Truth
from syncadmin.store.models import Activity, Conflict, Link

OURS = "api:sandbox"
_TABLES = ("lead", "contact")
# Tag and address, by side.
_NAMED = ((TAG[0], "emailaddress1"), (TAG[1], "email"))
# Where a line of history names a record: written, qualified, merged.
_NAMES = ("id", "lead", "contact", "loser", "master", "winner")


def check(world: World, witness: Witness) -> list[str]:
    logs = {
        "dynamics": [entry for entry in world.dynamics.truth.since(0) if entry.entity in _TABLES],
        "marketo": [entry for entry in world.marketo.truth.since(0) if entry.entity == "person"],
    }
    return [*_unnoted(logs), *_untold(witness), *witness.undone, *_blanked(logs), *_doubles(world, logs, witness)]


def _field(side: str, entry: Truth) -> Field | None:
    known = BY_COLUMN if side == "dynamics" else BY_FIELD
    return known.get(entry.field or "")


def _replaced(logs: dict[str, list[Truth]]) -> Iterator[tuple[str, Truth, Field, Any, Any]]:
    """Every value that a write of ours replaced: side, entry, field, old and new meaning."""
    for side, log in logs.items():
        for entry in log:
            field = _field(side, entry)
            if entry.who == OURS and entry.action == "update" and field is not None:
                old = plain(field, side, entry.entity, entry.old)
                new = plain(field, side, entry.entity, entry.new)
                if old not in (None, False) and old != new:
                    yield side, entry, field, old, new


def _unnoted(logs: dict[str, list[Truth]]) -> Iterator[str]:
    noted, owners = _noted(), _owners()
    for side, entry, field, old, new in _replaced(logs):
        places: list[int | str] = [*owners[entry.record.lower()], entry.record.lower()]
        if not any((field.column, _text(old)) in noted[place] for place in places):
            yield (
                f"3: {side} {entry.record} lost {field.column} {old!r} to {new!r} at {entry.at:%H:%M:%S},"
                " and no history tells of it"
            )


def _untold(witness: Witness) -> Iterator[str]:
    """Values that a merge has met, that stand nowhere now, and of which no line of their person tells."""
    gone = [met for met in witness.met if not witness.stands(met)]
    told, owners = (_told(), _owners()) if gone else ({}, {})
    for met in gone:
        couple = met.couple
        places: list[int | str] = [couple.link, couple.guid, couple.person]
        places += [*owners.get(couple.guid, ()), *owners.get(couple.person, ())]
        if not any((met.column, _text(met.value)) in told.get(place, ()) for place in places):
            yield (
                f"3: {met.side} had {met.column} {met.value!r} for link {couple.link} when the run that ended at"
                f" {witness.met[met]} read it; it stands nowhere now, and no history tells of it"
            )


def _told() -> dict[int | str, set[tuple[str, str]]]:
    """Everything that ``_noted`` knows, and what our writes brought and what both sides had agreed on."""
    found = _noted()
    for link, dynamics, marketo, changes in Activity.objects.values_list("link_id", "dynamics", "marketo", "changes"):
        place = link if link is not None else str(dynamics or marketo or "")
        found[place] |= {(_column(key), _text(new)) for key, _, new, *_ in changes}
    for row in Conflict.objects.all():
        values = (row.agreed_dynamics, row.agreed_marketo)
        found[row.link_id or ""] |= {(_column(row.key), _text(value)) for value in values}
    return found


def _noted() -> dict[int | str, set[tuple[str, str]]]:
    """(column, value) of everything the history and the conflicts keep, by link, or by record where there is none."""
    found: dict[int | str, set[tuple[str, str]]] = defaultdict(set)
    lines = Activity.objects.values_list("link_id", "dynamics", "marketo", "changes", "details")
    for link, dynamics, marketo, changes, details in lines:
        place = link if link is not None else str(dynamics or marketo or "")
        found[place] |= {(_column(key), _text(old)) for key, old, *_ in changes}
        if "key" in details:
            found[place] |= {(_column(details["key"]), _text(details.get(name))) for name in ("d", "m")}
    for row in Conflict.objects.all():
        values = (row.dynamics_value, row.marketo_value)
        found[row.link_id or ""] |= {(_column(row.key), _text(value)) for value in values}
    return found


def _owners() -> dict[str, set[int]]:
    """The links that a record or person ever belonged to."""
    found: dict[str, set[int]] = defaultdict(set)
    for pk, dynamics, marketo in Link.objects.values_list("pk", "dynamics", "marketo"):
        found[str(dynamics)].add(pk)
        found[str(marketo)].add(pk)
    for link, details in Activity.objects.exclude(link=None).values_list("link_id", "details"):
        for name in _NAMES:
            if details.get(name):
                found[str(details[name]).lower()].add(link)
    return found


def _column(key: str) -> str:
    return key.partition(".")[2].partition(":")[0]


def _text(value: Any) -> str:
    """History keeps comparable forms: numbers lose their zeros, choices their case."""
    text = str(value).strip().casefold()
    return text.rstrip("0").rstrip(".") if text.replace(".", "", 1).isdigit() else text


def _blanked(logs: dict[str, list[Truth]]) -> Iterator[str]:
    """We empty a field only because somebody emptied its partner, or put back that it was emptied right there."""
    emptied = set(_emptied(logs))
    other = {"dynamics": "marketo", "marketo": "dynamics"}
    for side, entry, field, old, new in _replaced(logs):
        if new is not None or field.form is Form.FLAG or _emptied_there(side, field, entry, logs[side]):
            continue
        if (other[side], field.column) not in emptied:
            yield f"11: {side} {entry.record} lost {field.column} {old!r}, and nobody had emptied it"


def _emptied_there(side: str, field: Field, entry: Truth, log: list[Truth]) -> bool:
    """Whether somebody had emptied the very field of this record when we filled it, unseen, right before."""
    mine = [one for one in log if one.record == entry.record and one.field == entry.field and one.id < entry.id]
    before = mine[-2:]
    return (
        len(before) == 2
        and before[0].who != OURS
        and before[1].who == OURS
        and plain(field, side, entry.entity, before[0].new) is None
    )


def _emptied(logs: dict[str, list[Truth]]) -> Iterable[tuple[str, str]]:
    yield from _not_copied(logs["dynamics"])
    for side, log in logs.items():
        for entry in log:
            field = _field(side, entry)
            if entry.who != OURS and field is not None and plain(field, side, entry.entity, entry.new) is None:
                yield side, field.column


def _not_copied(log: list[Truth]) -> Iterable[tuple[str, str]]:
    """What a qualification leaves out counts as emptied in Dynamics: the contact simply does not have it."""
    made = {entry.record for entry in log if entry.action == "create" and entry.field == "originatingleadid"}
    for contact in sorted(made):
        filled = {entry.field for entry in log if entry.record == contact and entry.action == "create"}
        yield from (("dynamics", column) for column in BY_COLUMN if column not in filled)


@dataclass(frozen=True, slots=True)
class _Birth:
    """A record as it was made. ``values`` by column or field."""

    record: str
    entity: str
    who: str
    at: datetime
    values: dict[str, Any]

    @property
    def stands_for(self) -> str:
        """The record that a person was made for."""
        return str(self.values.get("dynPersonGuid") or "").lower()

    def __str__(self) -> str:
        return f"{self.entity} {self.record} by {self.who} at {self.at:%H:%M:%S}"


def _doubles(world: World, logs: dict[str, list[Truth]], witness: Witness) -> Iterator[str]:
    """Everybody is born with a tag of their own: who shares one was made twice by us, or by us beside another."""
    strangers = set(_strangers(logs["dynamics"], witness))
    for side, tag, mail in (("dynamics", *_NAMED[0]), ("marketo", *_NAMED[1])):
        born: dict[str, list[_Birth]] = defaultdict(list)
        for one in _births(logs[side]):
            if one.values.get(tag) and _alive(world, side, one.entity, one.record):
                born[one.values[tag]].append(one)
        for name, found in born.items():
            ours = [one for one in found if one.who == OURS]
            beside = [one for one in found if ours and one.who != OURS and _stood(one, ours[0], mail, logs[side])]
            ours = [one for one in ours if one is ours[-1] or not _passed_on(world, one, ours[-1], logs["dynamics"])]
            if ours and (ours[-1].stands_for, ours[0].stands_for) in strangers:
                ours = ours if _stood(ours[0], ours[-1], mail, logs[side]) else ours[1:]
            if len(ours) + len(beside) > 1:
                yield f"6: {name} exists {len(ours) + len(beside)} times in {side}: {', '.join(map(str, ours + beside))}"


def _passed_on(world: World, one: _Birth, later: _Birth, log: list[Truth]) -> bool:
    """Whether its record was deleted and another one took the person: restored, the record needs a person anew."""
    row = world.marketo.get("person", one.record) or {}
    gone = (entry for entry in log if entry.action == "delete" and entry.record.lower() == one.stands_for)
    moved = str(row.get("dynPersonGuid") or "").lower() not in ("", one.stands_for)
    return moved and any(one.at <= entry.at < later.at for entry in gone)


def _strangers(log: list[Truth], witness: Witness) -> Iterator[tuple[str, str]]:
    """A contact and the lead it was, where the lead was deleted before a run had surely read that they are one: then
    Dynamics says so nowhere any more."""
    named: dict[str, Truth] = {}
    for entry in log:
        if entry.field != "originatingleadid":
            continue
        before = named.pop(entry.record, None)
        if entry.new:
            named[entry.record] = entry
        elif before is not None and not witness.has_read(before.at, entry.at):
            yield entry.record.lower(), str(before.new).lower()


def _stood(one: _Birth, ours: _Birth, mail: str, log: list[Truth]) -> bool:
    """Whether somebody could be found by address when we made ours: the same one, and nobody had touched theirs."""
    if one.at >= ours.at or one.values.get(FILTER) is False or not one.values.get(mail):
        return False
    since = [entry for entry in log if entry.record == one.record and entry.at < ours.at and entry.who != OURS]
    touched = any(entry.action not in ("create", "update") or entry.field in (mail, FILTER) for entry in since)
    same = str(one.values[mail]).strip().casefold() == str(ours.values.get(mail)).strip().casefold()
    return same and not touched


def _births(log: list[Truth]) -> list[_Birth]:
    """Marketo tells a person whole, Dynamics a record column by column."""
    found: dict[str, _Birth] = {}
    for entry in log:
        if entry.action == "create":
            values: dict[str, Any] = (
                entry.new if entry.field is None and isinstance(entry.new, dict) else {str(entry.field): entry.new}
            )
            first = _Birth(entry.record, entry.entity, entry.who, entry.at, {})
            found.setdefault(entry.record, first).values.update(values)
    return list(found.values())


def _alive(world: World, side: str, entity: str, record: str) -> bool:
    """Merged records stand for their master; a qualified lead for its contact."""
    row = world.dynamics.get(entity, record) if side == "dynamics" else world.marketo.get("person", record)
    if row is None or row.get("merged") or row.get(FILTER) is False:
        return False
    return not (entity == "lead" and row.get("statecode") == 1)
