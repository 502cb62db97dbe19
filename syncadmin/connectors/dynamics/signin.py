"""What Microsoft Entra ID's refusals mean: a sentence and what to do, by AADSTS code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncadmin.connectors import statuses
from syncadmin.connectors.errors import ConnectorError, Malformed, SignInRefused, Throttled, Unavailable
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.retry import advised

_CODE = re.compile(r"AADSTS(\d+)")
_PASSING = frozenset({"90033", "50196"})
_WHERE = "Microsoft Entra admin center, App registrations"

# Sentence and remedy; from the vendor's list of AADSTS codes.
REASONS: dict[str, tuple[str, str]] = {
    "7000215": (
        "The client secret is wrong.",
        f"Paste the secret's value, not its id ({_WHERE}, your app, Certificates & secrets).",
    ),
    "7000222": (
        "The client secret has expired.",
        f"Create a new secret and enter it here ({_WHERE}, your app, Certificates & secrets).",
    ),
    "7000218": ("The client secret is missing.", "Enter the client secret."),
    "700016": (
        "This client id is unknown in the tenant.",
        f"Check client id and tenant ({_WHERE}, your app, Overview).",
    ),
    "90002": ("The tenant does not exist.", f"Check the tenant id or domain ({_WHERE}, your app, Overview)."),
    "900144": ("The sign-in request is incomplete.", "Fill in tenant, client id and client secret."),
    "70011": (
        "The organisation's address is not accepted as a scope.",
        "Enter the address as https://name.crm4.dynamics.com.",
    ),
    "500011": (
        "The organisation's address is unknown in this tenant.",
        "Check the environment's address (Power Platform admin center, Environments) and the tenant.",
    ),
}
REASONS["1002012"] = REASONS["70011"]
REFUSED = "The sign-in address refused us."
WHERE = "Check authority, tenant, client id and secret (Microsoft Entra admin center, App registrations)."
_OTHER = ("Microsoft Entra ID refused the sign-in.", "Look the code up in Microsoft's list of AADSTS codes.")


def token_judge(request: Request, answer: Answer, now: datetime) -> ConnectorError | None:
    """The error of a token request; the vendor's text is left out, since it names the app and may quote input."""
    if answer.status == 200:
        return None
    if answer.status == 429 or answer.status >= 500:
        return statuses.judge(request, answer, now)
    body = _body(answer)
    code = _aadsts(body)
    trace = str(body.get("trace_id", ""))
    if code in _PASSING or body.get("error") == "temporarily_unavailable":
        until = advised(answer.headers.get("retry-after"), now)
        kind = Throttled if until else Unavailable
        return kind("Microsoft Entra ID is busy.", code=f"AADSTS{code}", until=until, request_id=trace)
    if not code and "error" not in body:
        return SignInRefused(
            f"The sign-in address answered with HTTP {answer.status}. Check authority and tenant.",
            code=str(answer.status),
        )
    sentence, remedy = REASONS.get(code, _OTHER)
    name = f"AADSTS{code}" if code else str(body.get("error"))[:60]
    return SignInRefused(f"{sentence} {remedy} ({name})", code=name, request_id=trace)


def reason(error: SignInRefused) -> tuple[str, str]:
    """The sentence and the remedy of a refused sign-in, apart."""
    code = error.code.removeprefix("AADSTS")
    if code != error.code:
        return REASONS.get(code, _OTHER)
    return REFUSED, WHERE


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        return answer.object()
    except Malformed:
        return {}  # a gateway's page: the status alone is told


def _aadsts(body: Mapping[str, Any]) -> str:
    codes = body.get("error_codes")
    if isinstance(codes, list) and codes:
        return str(codes[0])
    found = _CODE.search(str(body.get("error_description", "")))
    return found.group(1) if found else ""
