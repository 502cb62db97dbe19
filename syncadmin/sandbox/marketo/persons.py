"""What can happen to a person: created, changed, deleted, merged, put on a list. Each leaves its activities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from . import activities as log
from . import triggers
from .answers import ApiError, RowError, stamp
from .fields import Field
from .state import FIRST_PERSON, Cause, Person, State, display_name
from .values import BadValue, coerce, spoken

MERGE_AT_ONCE = 25


def checked(state: State, values: dict[str, Any], *, platform: bool = False) -> dict[str, Any]:
    """Values as they would be stored, by REST name. Raises RowError for the first that is refused.

    With `platform` (imports, screens, campaigns) fields that Marketo keeps itself (urgency, priority) may be set too, and
    e-mail addresses need not be ASCII.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        field = state.fields.get(name)
        if field is None:
            raise RowError(1006, f"Field '{name}' not found")
        if field.read_only:
            raise RowError(1003, f"Field '{name}' is read only")
        try:
            found[name] = coerce(field.kind, field.length, value, ascii_email=not platform)
        except BadValue:
            raise RowError(1003, f"Invalid value for field '{name}' and value '{value}'") from None
    if not platform:
        found = {name: value for name, value in found.items() if not state.fields.get(name).kept}  # type: ignore[union-attr]
    _check_company(state, found)
    return found


def _check_company(state: State, values: dict[str, Any]) -> None:
    company = values.get("externalCompanyId")
    if company is not None and str(company) not in state.companies:
        raise RowError(1013, f"Object not found: company '{company}'")


def create(state: State, values: dict[str, Any], cause: Cause, *, partition: int = 1) -> str:
    """A new person from checked values; only activity 12 tells of it. Returns the id."""
    id = str(state.next_id("person", FIRST_PERSON))
    now = state.now()
    # An unset boolean reads false, so a stored false would say nothing.
    row = {name: value for name, value in values.items() if value is not None and value is not False}
    updated = stamp(state.clock() - timedelta(seconds=1)) if state.knobs.early_updated_at else now
    row |= {"id": int(id), "createdAt": now, "updatedAt": updated, "_touched": now, "leadPartitionId": str(partition)}
    row["personType"] = "contact"
    row.setdefault("registrationSourceType", cause.source)
    row.setdefault("originalSourceType", cause.source)
    state.keep(id, row)
    attributes: dict[str, Any] = {"Created Date": now[:10], "Source Type": cause.source}
    # Empty attributes are left out, in this and every other activity.
    attributes |= {"Lead Source": row["leadSource"]} if row.get("leadSource") else {}
    _log(state, log.NEW_PERSON, int(id), cause, p=display_name(row), i=int(id), a=attributes | marks(state, cause))
    state.truth.add(state.clock(), cause.who, "person", id, "create", None, None, row)
    return id


def marks(state: State, cause: Cause) -> dict[str, Any]:
    """The attributes by which newer accounts tell who wrote through the API."""
    if not state.knobs.write_marks or cause.request is None:
        return {}
    return {"API Method Name": cause.api_method, "Modifying User": cause.user, "Request Id": cause.request}


def _log(state: State, kind: int, person: int, cause: Cause, **more: Any) -> int:
    return state.log.add(kind, person, state.now(), c=cause.campaign, **more)


def change(state: State, id: str, values: dict[str, Any], cause: Cause) -> list[str]:
    """Write checked values; returns the names of fields that really changed. Equal values leave no trace."""
    row = state.people[id]
    changed = [name for name, value in values.items() if _differs(state, row, name, value, cause)]
    # Marketo ignores equal values silently; the truth log still counts the call as a write.
    if not changed:
        state.truth.add(state.clock(), cause.who, "person", id, "update")
        return []
    new = {**row, "_touched": state.now()}
    for name in changed:
        field = _known(state, name)
        # The visible updatedAt follows standard fields only.
        if not field.custom:
            new["updatedAt"] = state.now()
        old = row.get(name, False if field.kind == "boolean" else None)
        # Cleared fields vanish from the row, which keeps rows and indexes small.
        new[name] = values[name]
        if values[name] is None:
            del new[name]
        _log_change(state, int(id), field, old, values[name], cause)
        state.truth.add(state.clock(), cause.who, "person", id, "update", name, old, values[name])
    state.keep(id, new)
    triggers.noticed(state, id, changed)
    return changed


def _known(state: State, name: str) -> Field:
    field = state.fields.get(name)
    if field is None:
        raise RowError(1006, f"Field '{name}' not found")
    return field


def _differs(state: State, row: Person, name: str, value: Any, cause: Cause) -> bool:
    field = _known(state, name)
    old = row.get(name, False if field.kind == "boolean" else None)
    if old == value or name == "id":
        return False
    # A linked person shows the company's values; writing them here is ignored without a word.
    if field.company and name != "externalCompanyId" and state.linked_company(row):
        return False
    # "Block field updates" protects filled fields from the named source; the API says `updated` all the same.
    return old in (None, False) or cause.source not in state.blocks.get(name, [])


def _log_change(state: State, id: int, field: Field, old: Any, new: Any, cause: Cause) -> None:
    words = state.knobs.boolean_words
    before, after = spoken(old, words), spoken(new, words)
    said = {"New Value": after, "Old Value": before, "Reason": cause.reason}
    about: dict[str, Any] = {"p": field.display, "i": field.id}
    # One change, two activities: that is how the product logs scores.
    if field.score:
        change = {"Change Value": f"{(new or 0) - (old or 0):+}", **said}
        _log(state, log.CHANGE_SCORE, id, cause, a=_filled(change), **about)
    more = {**said, "Source": cause.source, **marks(state, cause)}
    _log(state, log.CHANGE_VALUE, id, cause, a=_filled(more), f=[field.name, before, after], **about)


def _filled(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def delete(state: State, id: str, cause: Cause) -> None:
    row = state.people[id]
    _forget(state, id)
    _log(state, log.DELETE, int(id), cause, p=display_name(row), i=int(id))
    state.truth.add(state.clock(), cause.who, "person", id, "delete", None, row, None)


def _forget(state: State, id: str) -> None:
    for list_id in state.lists_of(id):
        state.leave(list_id, id)
    for program, members in list(state.program_members.items()):
        if id in members:
            state.program_members[program] = {key: member for key, member in members.items() if key != id}
    state.keep(id, None)


def merge(state: State, winner: str, losers: Iterable[str], cause: Cause, merge_source: str = "API") -> None:
    """The losers' ids die; the winner keeps its values and fills its gaps from them."""
    losers = list(dict.fromkeys(losers))
    if len(losers) > MERGE_AT_ONCE:
        raise ApiError(1080, f"More than {MERGE_AT_ONCE} leads cannot be merged at once")
    if not losers or winner in losers:
        raise ApiError(1003, "Invalid value for field 'leadIds': a lead cannot be merged with itself")
    # All are checked before the first is touched: a merge is not undone.
    for id in (winner, *losers):
        if state.person(id) is None:
            raise ApiError(1004, f"Lead '{id}' not found")
    new, filled = dict(state.people[winner]), []
    for loser in losers:
        filled += _fill(state, new, loser)
        _inherit(state, winner, loser)
        state.truth.add(state.clock(), cause.who, "person", loser, "merge", None, state.people[loser], winner)
        _forget(state, loser)
        state.log.move(int(loser), int(winner))
    # Filled gaps yield no Change Data Value; the merge activity names them instead.
    if filled:
        new["updatedAt"] = new["_touched"] = state.now()
    for name in filled:
        state.truth.add(state.clock(), cause.who, "person", winner, "merge", name, None, new[name])
    state.keep(winner, new)
    ids = [int(id) for id in losers]
    said: dict[str, Any] = {
        "Merge IDs": ids if state.knobs.merge_ids_as_list else str(ids),
        "Merge Source": merge_source,
        "Merged in Sales": "false",
    }
    said |= {"Master Updated": spoken(bool(filled)), "Merge Fields": ", ".join(filled) or None}
    _log(state, log.MERGE, int(winner), cause, p=display_name(new), i=int(winner), a=_filled(said))
    state.truth.add(state.clock(), cause.who, "person", winner, "merge", None, None, losers)


def _fill(state: State, new: Person, loser: str) -> list[str]:
    row, found = state.people[loser], []
    for name, value in row.items():
        field = state.fields.get(name)
        if field and not field.read_only and not field.kept and new.get(name) in (None, False) and value:
            new[name] = value
            found.append(name)
    if row.get("_cookies"):
        new["_cookies"] = [*new.get("_cookies", ()), *row["_cookies"]]
    return found


def _inherit(state: State, winner: str, loser: str) -> None:
    for list_id in state.lists_of(loser):
        if winner not in state.on(list_id):
            state.join(list_id, winner)
    for program, members in list(state.program_members.items()):
        if loser in members and winner not in members:
            state.program_members[program] = {**members, winner: members[loser]}


def add_to_list(state: State, list_id: str, id: str, cause: Cause) -> bool:
    """False if the person was on it already; then nothing is logged."""
    if id in state.on(list_id):
        return False
    state.join(list_id, id)
    _log_list(state, log.ADD_TO_LIST, list_id, id, cause)
    return True


def remove_from_list(state: State, list_id: str, id: str, cause: Cause) -> bool:
    if id not in state.on(list_id):
        return False
    state.leave(list_id, id)
    _log_list(state, log.REMOVE_FROM_LIST, list_id, id, cause)
    return True


def _log_list(state: State, kind: int, list_id: str, id: str, cause: Cause) -> None:
    name = state.lists[list_id]["name"]
    _log(state, kind, int(id), cause, p=name, i=int(list_id), a={"Source": cause.source})
    state.truth.add(
        state.clock(), cause.who, "person", id, "activity", f"list:{list_id}", None, kind == log.ADD_TO_LIST
    )
