"""Webhooks: tokens into a template, one call per person, 2xx answers mapped back into fields, activity 110."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from . import activities as log
from . import persons
from .answers import RowError
from .state import Cause, State

_TOKEN = re.compile(r"\{\{\s*([\w]+)\.([^}:]+?)\s*(?::default=([^}]*))?\}\}")
_STEP = re.compile(r"[^.\[\]]+")
Context = dict[str, dict[str, Any]]
# (method, url, headers, body, seconds) -> (status, reason phrase, body); TimeoutError or OSError when none came.
Send = Callable[[str, str, dict[str, str], bytes, float], tuple[int, str, bytes]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call. `status` 0: no answer, `reason` says why."""

    status: int
    reason: str
    body: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def send(method: str, url: str, headers: dict[str, str], body: bytes, seconds: float) -> tuple[int, str, bytes]:
    request = urllib.request.Request(url, body or None, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return answer.status, answer.reason, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.reason, error.read()


def context(state: State, person: str, scopes: Context) -> Context:
    """All token values of one person, by scope and lower-case token name."""
    row = state.people[person]
    lead = {field.display.casefold(): state.value(row, field) for field in state.fields.all()}
    lead |= {field.name.casefold(): state.value(row, field) for field in state.fields.all() if field.custom}
    company = {field.display.casefold(): state.value(row, field) for field in state.fields.all() if field.company}
    now = state.now()
    system = {"date": now[:10], "time": now[11:19], "datetime": now}
    given = {scope: {name.casefold(): value for name, value in values.items()} for scope, values in scopes.items()}
    return {**given, "lead": {**lead, "id": int(row["id"])}, "company": company, "system": system}


def render(template: str, values: Context, encoding: str | None) -> str:
    """`encoding`: None (text in double quotes), "json", "form", or "url" for tokens inside an address."""

    def fill(found: re.Match[str]) -> str:
        scope, name, default = found[1].lower(), found[2].strip().casefold(), found[3]
        value = values.get(scope, {}).get(name)
        # The default stands in for an empty value, not for an unknown token alone.
        value = default if value is None and default is not None else value
        if encoding in ("form", "url"):
            return quote_plus("" if value is None else str(value))
        # Quotes are the encoder's business: templates carry none.
        if encoding == "json":
            return json.dumps("" if value is None else value, ensure_ascii=False)
        return str(value) if isinstance(value, int | float) else f'"{"" if value is None else value}"'

    return _TOKEN.sub(fill, template)


def prepare(state: State, hook: dict[str, Any], person: str, scopes: Context) -> tuple[str, str, dict[str, str], bytes]:
    """Method, address, headers and body of the call; needs the state, so it runs before the call, under its lock."""
    values = context(state, person, scopes)
    body = render(hook["template"], values, hook["encoding"]).encode("utf-8", "replace") if hook["template"] else b""
    kind = "application/x-www-form-urlencoded" if hook["encoding"] == "form" else "application/json"
    headers = {"Content-Type": kind} | {
        name: render(value, values, "url") if "{{" in value else value for name, value in hook["headers"].items()
    }
    return hook["method"], render(hook["url"], values, "url"), headers, body


def perform(transport: Send, prepared: tuple[str, str, dict[str, str], bytes], seconds: float) -> Outcome:
    """The call itself; never repeated."""
    try:
        status, reason, body = transport(*prepared, seconds)
    except TimeoutError:
        return Outcome(0, "Timeout", "")
    except (http.client.HTTPException, ValueError) as error:
        return Outcome(0, "Invalid response", str(error))
    except OSError as error:
        timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
        return Outcome(0, "Timeout" if timed_out else "Connection failed", "" if timed_out else str(error))
    return Outcome(status, reason, body.decode("utf-8", "replace"))


def record(state: State, hook: dict[str, Any], person: str, outcome: Outcome, campaign: int | None) -> None:
    """Activity 110, and the mapped fields of a 2xx answer. A person gone meanwhile leaves nothing."""
    if state.person(person) is None:
        return
    error = outcome.reason
    if outcome.ok and not outcome.body.strip():
        error = "1001"  # the vendor's code for an empty answer body
    said = {"Error Type": error, "Response": outcome.body or None}
    attributes = {name: value for name, value in said.items() if value is not None}
    state.log.add(log.CALL_WEBHOOK, int(person), state.now(), p=hook["name"], c=campaign, a=attributes)
    # Only 2xx answers are mapped, whatever their body says.
    if outcome.ok and hook["mappings"]:
        _map(state, hook, person, outcome.body, campaign)


def _map(state: State, hook: dict[str, Any], person: str, body: str, campaign: int | None) -> None:
    try:
        answer = json.loads(body)
    except ValueError:
        return
    reason = f"Webhook {hook['name']}"
    cause = Cause("campaign", "Webhook", reason, campaign)
    for path, soap in hook["mappings"].items():
        field, value = state.fields.by_soap(soap), pick(answer, path)
        if field is None or value is None or isinstance(value, dict | list):
            continue
        try:
            persons.change(state, person, persons.checked(state, {field.name: value}), cause)
        except RowError:
            # Values of another type are not mapped; the platform says nothing about it either.
            continue


def pick(answer: Any, path: str) -> Any:
    """The value under a path such as `a.b[0].c`, or None."""
    for step in _STEP.findall(path):
        if isinstance(answer, list):
            answer = answer[int(step)] if step.isdigit() and int(step) < len(answer) else None
        else:
            answer = answer.get(step) if isinstance(answer, dict) else None
    return answer
