"""Static lists: which there are, who is on them, joining and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo import persons
from syncadmin.sandbox.marketo.answers import ApiError, Payload, RowError
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

from .leads import page, wanted_fields
from .writes import api_cause, partial

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox


def browse(sandbox: MarketoSandbox, request: Request) -> Payload:
    lists = {row["id"]: row for row in sandbox.state.lists.values()}
    for parameter, key in (("id", "id"), ("name", "name"), ("programName", "programName")):
        wanted = request.many(parameter) if parameter == "id" else request.query.get(parameter, [])
        if wanted:
            lists = {id: row for id, row in lists.items() if str(row.get(key)) in wanted}
    workspace = request.one("workspaceName")
    lists = {id: row for id, row in lists.items() if workspace in (None, row["workspaceName"])}
    ids, more = page("lists", request, sorted(lists))
    return Payload([lists[id] for id in ids], more)


def _list(sandbox: MarketoSandbox, id: str) -> str:
    if id not in sandbox.state.lists:
        raise ApiError(1013, f"Object not found: list '{id}'")
    return id


def one(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    return Payload([sandbox.state.lists[_list(sandbox, id)]])


def members(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state, names = sandbox.state, wanted_fields(sandbox.state, request)
    ids, more = page("members", request, sorted(int(person) for person in state.on(_list(sandbox, id))))
    return Payload([state.shown(state.people[str(person)], names) for person in ids], more)


def _each(sandbox: MarketoSandbox, request: Request, deed: Any) -> Payload:
    """Do `deed(id)`, which says the status, to every person named; rows that fail keep their id."""
    fault, result = sandbox.partial(request), []
    for number, id in enumerate(request.ids(), 1):
        row: dict[str, Any] = {"id": int(id)} if str(id).isdigit() else {}
        try:
            partial(fault, number)
            if sandbox.state.person(id) is None:
                raise RowError(1004, "Lead not found")
            row["status"] = deed(str(id))
        except RowError as error:
            row |= {"status": "skipped", "reasons": [error.reason]}
        result.append(row)
    return Payload(result)


def add(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    list_id, cause = _list(sandbox, id), api_cause(request, "addToList")

    def deed(person: str) -> str:
        # Already a member: still "added", but no second activity.
        persons.add_to_list(sandbox.state, list_id, person, cause)
        return "added"

    return _each(sandbox, request, deed)


def remove(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    list_id, cause = _list(sandbox, id), api_cause(request, "removeFromList")

    def deed(person: str) -> str:
        if not persons.remove_from_list(sandbox.state, list_id, person, cause):
            raise RowError(1015, "Lead not in list")
        return "removed"

    return _each(sandbox, request, deed)


def is_member(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    on = sandbox.state.on(_list(sandbox, id))
    return _each(sandbox, request, lambda person: "memberof" if person in on else "notmemberof")


def of_person(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state = sandbox.state
    if state.person(id) is None:
        raise ApiError(1004, f"Lead '{id}' not found")
    found = {int(list_id): state.on(list_id)[id] for list_id in state.lists_of(id)}
    ids, more = page("memberships", request, sorted(found))
    rows = [{"id": list_id, "membershipDate": found[list_id]} for list_id in ids]
    return Payload([row | {"name": state.lists[str(row["id"])]["name"]} for row in rows], more)


_READ, _WRITE = "Read-Only Lead", "Read-Write Lead"
ROUTES = (
    route("GET", "/rest/v1/lists.json", browse, _READ),
    route("GET", "/rest/v1/lists/{id}.json", one, _READ),
    route("GET", "/rest/v1/lists/{id}/leads.json", members, _READ),
    route("GET", "/rest/v1/list/{id}/leads.json", members, _READ),
    route("POST", "/rest/v1/lists/{id}/leads.json", add, _WRITE),
    route("DELETE", "/rest/v1/lists/{id}/leads.json", remove, _WRITE),
    route("GET", "/rest/v1/lists/{id}/leads/ismember.json", is_member, _READ),
    route("POST", "/rest/v1/lists/{id}/leads/ismember.json", is_member, _READ),
    route("GET", "/rest/v1/leads/{id}/listMembership.json", of_person, _READ),
)
