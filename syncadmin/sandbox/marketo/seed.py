"""What a new account finds: lists, programs, campaigns and the webhook customers are told to set up."""

from __future__ import annotations

from typing import Any

from .state import State

SYNC_LIST, WEBHOOK, FAST_TRACK = 1207, "Sync Person to Microsoft", 2210
_PROGRAM = {"id": 1044, "name": "Spring Webinar"}
_TEMPLATE = (
    '{"personId": {{lead.Id}}, "email": {{lead.Email Address}}, "campaignId": {{campaign.id}}, '
    '"campaign": {{campaign.name}}, "syncAs": {{my.syncAs}}, "assignTo": {{my.assignTo}}}'
)


def seed(state: State, webhook_url: str, webhook_key: str) -> None:
    """Fill an empty account; the webhook follows its settings at every start."""
    if "seeded" not in state.counters:
        _lists(state)
        _programs(state)
        _campaigns(state)
        state.counters["seeded"] = 1
    # Not part of the seeding: the address changes with the port of the next start.
    state.webhooks[WEBHOOK] = {
        "name": WEBHOOK,
        "url": webhook_url,
        "method": "POST",
        "template": _TEMPLATE,
        "encoding": "json",
        "headers": {"X-Sync-Key": webhook_key},
        "mappings": {},
    }


def static_list(state: State, id: int, name: str, program: str | None = None, description: str | None = None) -> None:
    now = state.now()
    row = {"id": id, "name": name, "description": description, "programName": program, "workspaceName": "Default"}
    state.lists[str(id)] = row | {"createdAt": now, "updatedAt": now}


def _lists(state: State) -> None:
    static_list(state, SYNC_LIST, "Sync to Dynamics 365", description="Batch campaigns put people here")
    static_list(state, 1208, "Spring Webinar Guests", program="Spring Webinar")
    static_list(state, 1209, "Press and Partners")
    state.counters["list"] = 1209


def _programs(state: State) -> None:
    now = state.now()
    for id, name, channel in ((1044, "Spring Webinar", "Webinar"), (1045, "Product Newsletter", "Newsletter")):
        row = {
            "id": id,
            "name": name,
            "description": "",
            "type": "Event" if id == 1044 else "Email",
            "channel": channel,
        }
        folder = {"type": "Folder", "value": 31, "folderName": "Group Lists"}
        state.programs[str(id)] = row | {
            "createdAt": now,
            "updatedAt": now,
            "folder": folder,
            "status": "",
            "workspace": "Default",
        }


def campaign(state: State, id: int, name: str, trigger: str | None, steps: list[dict[str, Any]], **more: Any) -> None:
    """`trigger`: "requested", "changed" (with `field`, and `value` unless any) or None for a batch campaign."""
    now = state.now()
    program = _PROGRAM if more.pop("in_program", True) else {"id": None, "name": None}
    state.campaigns[str(id)] = {
        "id": id,
        "name": name,
        "description": "",
        "type": "trigger" if trigger else "batch",
        "active": trigger is not None,
        "programId": program["id"],
        "programName": program["name"],
        "workspaceName": "Default",
        "createdAt": now,
        "updatedAt": now,
        "trigger": trigger,
        "field": None,
        "value": None,
        "steps": steps,
        **more,
    }


def _campaigns(state: State) -> None:
    hook = [{"do": "webhook", "name": WEBHOOK}]
    campaign(state, FAST_TRACK, "Fast Track to Sales", "requested", hook)
    campaign(state, 2211, "Sales Ready", "changed", hook, field="leadStatus", value="Sales Ready")
    campaign(state, 2212, "Monthly Newsletter", None, [])
