"""Marketo's Call Webhook step knocks here. The body is a hint only; every answer is JSON."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from syncadmin.engine.records import Table
from syncadmin.services import connect, sync_person
from syncadmin.services.sync_person import Answer, Asked
from syncadmin.web.access import open_to_all

LARGEST_BODY = 64 * 1024
LARGEST_ID = 2**63 - 1
_TABLES = {"": Table.LEAD, "lead": Table.LEAD, "contact": Table.CONTACT}


class Nonsense(ValueError):
    """The body names no person, or asks for something there is not; the message says what."""


@csrf_exempt
@open_to_all
def sync_person_hook(request: HttpRequest) -> JsonResponse:
    """Creates one Marketo person in Dynamics. 2xx is an answer; anything else asks for another try."""
    if request.method != "POST":
        return _say(405, Answer("failed", message="Send a POST."), Allow="POST")
    if not _knows_the_key(request):
        return _say(401, Answer("failed", message="The header X-Sync-Key is missing or wrong."))
    body = _read(request)
    if body is None:
        return _say(413, Answer("failed", message="The body is larger than 64 kB."))
    try:
        asked = understood(body)
    except Nonsense as error:
        return _say(400, Answer("failed", message=str(error)))
    try:
        answer = sync_person.ask(connect.context(), asked)
    except (connect.NotConnected, connect.Unopened, DatabaseError) as error:
        return _say(503, Answer("failed", message=f"Not ready, try again later: {type(error).__name__}"))
    return _say(202 if answer.status == "queued" else 200, answer)


def _knows_the_key(request: HttpRequest) -> bool:
    # A header arrives as bytes told letter by letter, whatever they mean.
    given = request.headers.get("X-Sync-Key", "").strip().encode("latin-1", "replace")
    return bool(settings.SYNC_KEY) and secrets.compare_digest(given, settings.SYNC_KEY.encode())


def _read(request: HttpRequest) -> bytes | None:
    """The body; None if it is too large, which a chunked one tells only while it is read."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return None
    body = request.read(LARGEST_BODY + 1)
    return None if len(body) > LARGEST_BODY else body


def understood(body: bytes) -> Asked:
    """What the body asks for: JSON, or a form; numbers as text, other spellings of the keys and extra keys are fine."""
    fields = {_folded(key): value for key, value in _fields(body).items()}
    sync_as = _text(fields.get("syncas")).casefold()
    if sync_as not in _TABLES:
        raise Nonsense("syncAs is lead or contact.")
    return Asked(_person(fields.get("personid")), _TABLES[sync_as], _text(fields.get("assignto")))


def _fields(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Nonsense("The body is not UTF-8.") from None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = dict(parse_qsl(text)) if "=" in text and not text.lstrip().startswith(("{", "[")) else None
    if not isinstance(found, dict):
        raise Nonsense('The body is not a JSON object like {"personId": 40217, "syncAs": "lead"}.')
    return found


def _folded(key: str) -> str:
    return key.strip().casefold().replace("_", "").replace("-", "")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    # JSON can spell half a character, which nothing can store.
    return str(value).strip().replace("\0", "").encode("utf-8", "replace").decode()


def _person(value: Any) -> int:
    text = _text(value).removesuffix(".0")
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) <= LARGEST_ID or len(text) > 19:
        raise Nonsense("personId is the number of a person in Marketo.")
    return int(text)


def _say(status: int, answer: Answer, **headers: str) -> JsonResponse:
    said = {
        "status": answer.status,
        "crmEntity": answer.crm_entity,
        "crmId": answer.crm_id,
        "message": answer.message,
    }
    return JsonResponse(said, status=status, headers={"Cache-Control": "no-store", **headers})
