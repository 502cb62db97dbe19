"""Trigger campaigns: the queue of people in them and their flow steps (webhook, field change, list)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import activities as log
from . import persons, triggers, webhooks
from .answers import RowError
from .state import Cause, State

if TYPE_CHECKING:
    from .app import MarketoSandbox


def request_campaign(state: State, row: dict[str, Any], person: str, cause: Cause, tokens: dict[str, Any]) -> None:
    said = {"Source": cause.source}
    state.log.add(log.REQUEST_CAMPAIGN, int(person), state.now(), p=row["name"], i=row["id"], a=said)
    triggers.ask(state, row["id"], person, tokens, "Campaign is Requested")


def flow_cause(row: dict[str, Any], action: str) -> Cause:
    name = f"{row['programName']}.{row['name']}" if row["programName"] else row["name"]
    return Cause("campaign", "Marketo Flow Action", f"Changed by Smart Campaign {name} action {action}", row["id"])


def run(sandbox: MarketoSandbox, *, at_once: int = 1) -> int:
    """Take everybody waiting through their campaigns; returns how many. Webhook calls happen outside the lock."""
    # Taken off the queue before they run: a person is never led through twice.
    with sandbox.lock:
        batch = [sandbox.state.waiting.pop(key) for key in sorted(sandbox.state.waiting)]
        sandbox.state.commit()
    if at_once == 1:
        for entry in batch:
            _flow(sandbox, entry)
    elif batch:
        with ThreadPoolExecutor(min(at_once, len(batch))) as pool:
            list(pool.map(lambda entry: _flow(sandbox, entry), batch))
    return len(batch)


def _flow(sandbox: MarketoSandbox, entry: dict[str, Any]) -> None:
    row = sandbox.state.campaigns.get(str(entry["campaign"]))
    if row is None or not row["active"]:
        return
    for step in row["steps"]:
        if step["do"] == "webhook":
            _call(sandbox, step["name"], entry, row)
            continue
        with sandbox.lock:
            _inside(sandbox.state, step, entry["person"], row)
            sandbox.state.commit()


def _inside(state: State, step: dict[str, Any], person: str, row: dict[str, Any]) -> None:
    if state.person(person) is None:
        return
    if step["do"] == "list":
        persons.add_to_list(state, str(step["list"]), person, flow_cause(row, "Add to List"))
        return
    try:
        values = persons.checked(state, {step["field"]: step["value"]}, platform=True)
    except RowError:
        # A flow step with a value the field cannot hold is skipped, as in the product.
        return
    persons.change(state, person, values, flow_cause(row, "Change Data Value"))


def _call(sandbox: MarketoSandbox, name: str, entry: dict[str, Any], row: dict[str, Any]) -> None:
    campaign = {"id": row["id"], "name": row["name"], "description": row.get("description")}
    program = {"id": row["programId"], "name": row["programName"]}
    my = {key.removeprefix("my."): value for key, value in entry["tokens"].items()}
    trigger = {"name": entry["trigger"], "trigger name": entry["trigger"]}
    scopes = {"campaign": campaign, "program": program, "my": my, "trigger": trigger}
    call_webhook(sandbox, name, entry["person"], scopes, row["id"])


def call_webhook(
    sandbox: MarketoSandbox, name: str, person: str, scopes: webhooks.Context, campaign: int | None = None
) -> webhooks.Outcome | None:
    """One call for one person; None if person or webhook do not exist."""
    with sandbox.lock:
        hook = sandbox.state.webhooks.get(name)
        if hook is None or sandbox.state.person(person) is None:
            return None
        prepared = webhooks.prepare(sandbox.state, hook, person, scopes)
    # No lock here: the receiver usually calls back for the person before it answers.
    outcome = webhooks.perform(sandbox.send, prepared, sandbox.state.knobs.webhook_seconds)
    with sandbox.lock:
        webhooks.record(sandbox.state, hook, person, outcome, campaign)
        sandbox.state.commit()
    return outcome
