"""Programs' members and people's memberships, campaigns by API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo import activities as log
from syncadmin.sandbox.marketo.answers import ApiError, Payload, RowError, blank, moment
from syncadmin.sandbox.marketo.campaigns import request_campaign
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

from .leads import page, wanted_fields
from .writes import api_cause, skipped

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_STATUSES = {"Not in Program": 0, "Invited": 1, "Registered": 2, "Attended": 3, "Responded": 4}
_MOST_REQUESTED = 100


def _program(sandbox: MarketoSandbox, id: str) -> dict[str, Any]:
    row: dict[str, Any] | None = sandbox.state.programs.get(id)
    if row is None:
        raise ApiError(1013, f"Object not found: program '{id}'")
    return row


def of_program(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state, names = sandbox.state, wanted_fields(sandbox.state, request)
    _program(sandbox, id)
    members = state.program_members.get(id, {})
    ids, more = page("program", request, sorted(int(person) for person in members))
    rows = [
        state.shown(state.people[str(person)], names) | {"membership": _membership(members[str(person)])}
        for person in ids
    ]
    return Payload(rows, more)


def _membership(member: dict[str, Any]) -> dict[str, Any]:
    return {
        "progressionStatus": member["status"],
        "membershipDate": member["since"],
        "reachedSuccess": member["status"] == "Responded",
        "isExhausted": False,
        "acquiredBy": False,
    }


def set_status(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    program, body = _program(sandbox, id), request.json()
    name = body.get("statusName")
    if not name:
        raise blank("statusName")
    if not isinstance(name, str) or name not in _STATUSES:
        raise ApiError(1025, f"Program status '{name}' not found")
    result = []
    for seq, row in enumerate(request.rows()):
        try:
            person = row.get("leadId") if isinstance(row, dict) else None
            if person is None or sandbox.state.person(person) is None:
                raise RowError(1004, "Lead not found")
            _set(sandbox, request, program, str(person), name)
            result.append({"seq": seq, "status": "updated", "leadId": int(person)})
        except RowError as error:
            result.append({"seq": seq, **skipped(error)})
    return Payload(result)


def _set(sandbox: MarketoSandbox, request: Request, program: dict[str, Any], person: str, status: str) -> None:
    state, id = sandbox.state, str(program["id"])
    members = state.program_members.get(id, {})
    old = members.get(person, {"status": "Not in Program", "since": state.now()})
    # Progress only goes forward.
    if _STATUSES[old["status"]] >= _STATUSES[status]:
        raise RowError(1037, "Lead was skipped: already in or past this status")
    state.program_members[id] = {**members, person: {**old, "status": status}}
    said = {
        "New Status": status,
        "Old Status": old["status"],
        "New Status ID": _STATUSES[status],
        "Old Status ID": _STATUSES[old["status"]],
        "Success": "true" if status == "Responded" else "false",
        "Reason": api_cause(request, "changeProgramStatus").reason,
    }
    state.log.add(log.CHANGE_STATUS, int(person), state.now(), p=program["name"], i=program["id"], a=said)


def programs_of(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state = sandbox.state
    if state.person(id) is None:
        raise ApiError(1004, f"Lead '{id}' not found")
    found = {int(program): members[id] for program, members in state.program_members.items() if id in members}
    ids, more = page("programs", request, sorted(found))
    rows = [{"id": program, **_membership(found[program])} for program in ids]
    return Payload(rows, more)


def campaigns_of(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state = sandbox.state
    if state.person(id) is None:
        raise ApiError(1004, f"Lead '{id}' not found")
    seen = {row["c"]: row["d"] for row in state.log.about(int(id)) if "c" in row}
    ids, more = page("campaigns", request, sorted(seen))
    return Payload([{"id": campaign, "membershipDate": seen[campaign]} for campaign in ids], more)


def campaigns(sandbox: MarketoSandbox, request: Request) -> Payload:
    rows = {row["id"]: row for row in sandbox.state.campaigns.values()}
    for name in ("id", "name", "programName", "workspaceName"):
        wanted = request.many(name) if name == "id" else request.query.get(name, [])
        rows = {id: row for id, row in rows.items() if not wanted or str(row[name]) in wanted}
    if (request.one("isTriggerable") or "").lower() in ("true", "1"):
        rows = {id: row for id, row in rows.items() if row["active"] and row["trigger"] == "requested"}
    ids, more = page("campaign", request, sorted(rows))
    return Payload([_campaign(rows[id]) for id in ids], more)


def _campaign(row: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "name", "type", "active", "programId", "programName", "workspaceName", "createdAt", "updatedAt")
    return {name: row[name] for name in names}


def _known(sandbox: MarketoSandbox, id: str) -> dict[str, Any]:
    row: dict[str, Any] | None = sandbox.state.campaigns.get(id)
    if row is None:
        raise ApiError(1013, f"Object not found: campaign '{id}'")
    return row


def campaign(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    return Payload([_campaign(_known(sandbox, id))])


def trigger(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    row, given = _known(sandbox, id), request.json().get("input")
    leads = given.get("leads") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(leads, list) or not leads:
        raise blank("leads")
    tokens = given.get("tokens") or []
    if not isinstance(tokens, list):
        raise ApiError(1003, "Invalid value for field 'tokens'")
    if len(leads) > _MOST_REQUESTED or len(tokens) > _MOST_REQUESTED:
        raise ApiError(1003, f"Too many leads or tokens: at most {_MOST_REQUESTED} are allowed")
    if row["trigger"] != "requested" or not row["active"]:
        raise ApiError(1003, f"Invalid data: campaign '{id}' is not triggerable by API")
    people = [str(lead.get("id")) if isinstance(lead, dict) else "" for lead in leads]
    # One unknown person refuses the whole request; none of them enters.
    for person in people:
        if sandbox.state.person(person) is None:
            raise ApiError(1004, f"Lead '{person}' not found")
    mine = {str(token.get("name", "")).strip("{}"): token.get("value") for token in tokens if isinstance(token, dict)}
    for person in people:
        request_campaign(sandbox.state, row, person, api_cause(request, "requestCampaign"), mine)
    return Payload([{"id": row["id"]}])


def schedule(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    row, given = _known(sandbox, id), request.json().get("input") or {}
    if not isinstance(given, dict):
        raise ApiError(1003, "Invalid value for field 'input'")
    if row["type"] != "batch":
        raise ApiError(1003, f"Invalid data: campaign '{id}' is not a batch campaign")
    if given.get("runAt"):
        try:
            at = moment(str(given["runAt"]))
        except ValueError:
            raise ApiError(1042, f"Invalid runAt date '{given['runAt']}'") from None
        earliest, latest = sandbox.clock() + timedelta(minutes=5), sandbox.clock() + timedelta(days=730)
        if not earliest <= at <= latest:
            raise ApiError(1042, f"Invalid runAt date '{given['runAt']}'")
    return Payload([{"id": row["id"]}])


_READ, _WRITE = "Read-Only Lead", "Read-Write Lead"
ROUTES = (
    route("GET", "/rest/v1/leads/programs/{id}.json", of_program, _READ),
    route("POST", "/rest/v1/programs/{id}/members/status.json", set_status, _WRITE),
    route("GET", "/rest/v1/leads/{id}/programMembership.json", programs_of, _READ),
    route("GET", "/rest/v1/leads/{id}/smartCampaignMembership.json", campaigns_of, _READ),
    route("GET", "/rest/v1/campaigns.json", campaigns, "Read-Only Campaign"),
    route("GET", "/rest/v1/campaigns/{id}.json", campaign, "Read-Only Campaign"),
    route("POST", "/rest/v1/campaigns/{id}/trigger.json", trigger, "Execute Campaign"),
    route("POST", "/rest/v1/campaigns/{id}/schedule.json", schedule, "Execute Campaign"),
)
