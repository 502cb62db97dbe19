"""Usage and error statistics, today and the last seven days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import Payload
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox


def _calls(day: str, row: dict[str, Any]) -> dict[str, Any]:
    users = [{"userId": user, "count": count} for user, count in sorted(row["users"].items())]
    return {"date": day, "total": row["total"], "users": users}


def _errors(day: str, row: dict[str, Any]) -> dict[str, Any]:
    errors = [{"errorCode": code, "count": count} for code, count in sorted(row["errors"].items())]
    return {"date": day, "total": sum(row["errors"].values()), "errors": errors}


def usage(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([_calls(*sandbox.limits.used_today())])


def usage_week(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([_calls(day, row) for day, row in sandbox.limits.seven_days()])


def errors(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([_errors(*sandbox.limits.used_today())])


def errors_week(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([_errors(day, row) for day, row in sandbox.limits.seven_days()])


ROUTES = (
    route("GET", "/rest/v1/stats/usage.json", usage),
    route("GET", "/rest/v1/stats/usage/last7days.json", usage_week),
    route("GET", "/rest/v1/stats/errors.json", errors),
    route("GET", "/rest/v1/stats/errors/last7days.json", errors_week),
)
