"""Asset look-ups: static lists, folders, programs, smart campaigns. Paged by offset; times end in Z+0000."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import ApiError, Payload, asset_stamp, blank
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_FOLDER = {
    "name": "Group Lists",
    "id": 31,
    "folderId": {"id": 31, "type": "Folder"},
    "folderType": "Static List",
    "parent": {"id": 14, "type": "Folder"},
    "path": "/Lead Database/Group Lists",
    "isArchive": False,
    "isSystem": False,
    "accessZoneId": 1,
    "workspace": "Default",
    "createdAt": "2025-01-07T08:00:00Z+0000",
    "updatedAt": "2025-01-07T08:00:00Z+0000",
}


def _answer(rows: list[dict[str, Any]]) -> Payload:
    """No hit is a success without a result and with a warning."""
    if rows:
        return Payload(rows, asset=True)
    return Payload(None, {"warnings": ["No assets found for the given search criteria."]}, asset=True)


def _page(request: Request, rows: list[dict[str, Any]]) -> Payload:
    offset = request.one("offset") or "0"
    if not offset.isdigit():
        raise ApiError(1001, f"Invalid value '{offset}'. Required of type 'Integer'")
    size = request.number("maxReturn", 20, 200)
    return _answer(rows[int(offset) : int(offset) + size])


def _named(request: Request, rows: list[dict[str, Any]]) -> Payload:
    name = request.one("name")
    if not name:
        raise blank("name")
    return _answer([row for row in rows if row["name"].casefold() == name.casefold()])


def _list(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row.get("description"),
        "createdAt": asset_stamp(row["createdAt"]),
        "updatedAt": asset_stamp(row["updatedAt"]),
        "folder": {"id": 31, "type": "Folder"},
        "computedUrl": f"https://app.sandbox.example/#ST{row['id']}A1",
        "workspace": row["workspaceName"],
    }


def _lists(sandbox: MarketoSandbox) -> list[dict[str, Any]]:
    return [_list(row) for row in sandbox.state.lists.values()]


def lists(sandbox: MarketoSandbox, request: Request) -> Payload:
    return _page(request, _lists(sandbox))


def list_by_name(sandbox: MarketoSandbox, request: Request) -> Payload:
    return _named(request, _lists(sandbox))


def list_by_id(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    return _answer([row for row in _lists(sandbox) if str(row["id"]) == id])


def make_list(sandbox: MarketoSandbox, request: Request) -> Payload:
    if request.content_type != "application/x-www-form-urlencoded":
        raise ApiError(612, "Invalid Content Type")
    name, text = request.one("name"), request.one("folder")
    if not name:
        raise blank("name")
    if not text:
        raise blank("folder")
    try:
        folder = json.loads(text)
    except ValueError:
        raise ApiError(609, "Invalid JSON") from None
    if not isinstance(folder, dict) or folder.get("type") not in ("Folder", "Program"):
        raise ApiError(711, "Incompatible Folder Type")
    if folder["type"] == "Folder" and str(folder.get("id")) != str(_FOLDER["id"]):
        raise ApiError(710, "Parent Folder Not Found")
    if any(row["name"].casefold() == name.casefold() for row in sandbox.state.lists.values()):
        raise ApiError(709, f"A static list named '{name}' already exists")
    id = sandbox.add_list(name, description=request.one("description"))
    return _answer([_list(sandbox.state.lists[id])])


def folder_by_name(sandbox: MarketoSandbox, request: Request) -> Payload:
    return _named(request, [_FOLDER])


def _programs(sandbox: MarketoSandbox) -> list[dict[str, Any]]:
    times = ("createdAt", "updatedAt")
    return [row | {name: asset_stamp(row[name]) for name in times} for row in sandbox.state.programs.values()]


def programs(sandbox: MarketoSandbox, request: Request) -> Payload:
    return _page(request, _programs(sandbox))


def program_by_name(sandbox: MarketoSandbox, request: Request) -> Payload:
    return _named(request, _programs(sandbox))


def program_by_id(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    return _answer([row for row in _programs(sandbox) if str(row["id"]) == id])


def switch(sandbox: MarketoSandbox, request: Request, id: str, deed: str) -> Payload:
    row = sandbox.state.campaigns.get(id)
    if row is None:
        raise ApiError(702, "No data found for the given search scenario")
    if deed not in ("activate", "deactivate"):
        raise ApiError(610, "Requested resource not found")
    if row["type"] == "batch":
        raise ApiError(709, "A batch campaign cannot be activated")
    sandbox.state.campaigns[id] = {**row, "active": deed == "activate", "updatedAt": sandbox.state.now()}
    return _answer([{"id": row["id"]}])


_READ = "Read-Only Assets"
ROUTES = (
    route("GET", "/rest/asset/v1/staticLists.json", lists, _READ),
    route("POST", "/rest/asset/v1/staticLists.json", make_list, "Read-Write Assets"),
    route("GET", "/rest/asset/v1/staticList/byName.json", list_by_name, _READ),
    route("GET", "/rest/asset/v1/staticList/{id}.json", list_by_id, _READ),
    route("GET", "/rest/asset/v1/folder/byName.json", folder_by_name, _READ),
    route("GET", "/rest/asset/v1/programs.json", programs, _READ),
    route("GET", "/rest/asset/v1/program/byName.json", program_by_name, _READ),
    route("GET", "/rest/asset/v1/program/{id}.json", program_by_id, _READ),
    route("POST", "/rest/asset/v1/smartCampaign/{id}/{deed}.json", switch, "Activate / Deactivate Campaign"),
)
