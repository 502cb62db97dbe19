"""What the setup and the settings show of the two connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from syncadmin.store import options
from syncadmin.store.models import AuditEntry, Connection, Link


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """A stored connection without its secret. ``by`` is who saved it; ``expires`` the secret's last day, if known."""

    side: str
    address: str
    account: str
    name: str
    version: str
    user: str
    client_id: str
    tenant: str
    authority: str
    identity_url: str
    connected_at: datetime
    by: str
    expires: date | None
    refused_since: datetime | None
    message: str


def connection(side: str) -> ConnectionCard | None:
    """The connection of a side as far as it may be shown."""
    row = Connection.objects.filter(side=side).first()
    if row is None:
        return None
    saved = AuditEntry.objects.filter(action="connect", subject=side).order_by("-id").first()
    said = {name: str(row.config.get(name) or "") for name in _SAID}
    return ConnectionCard(
        side,
        row.base_url,
        row.account,
        user=row.user,
        connected_at=row.connected_at,
        by="" if saved is None else saved.who,
        expires=date.fromisoformat(until) if side == "dynamics" and (until := _secret_until()) else None,
        refused_since=row.refused_since,
        message=row.message,
        **said,
    )


def _secret_until() -> str:
    """The one day that is also reminded of: it can be changed with the notifications, too."""
    return options.read().dynamics_secret_until


_SAID = ("name", "version", "client_id", "tenant", "authority", "identity_url")


def connections() -> list[ConnectionCard | None]:
    """Both, Dynamics first; None where there is none."""
    return [connection("dynamics"), connection("marketo")]


def linked() -> bool:
    """Whether any person of one side is linked to a record of the other."""
    return Link.objects.exists()


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that somebody changed."""

    at: datetime
    who: str
    subject: str
    before: object
    after: object


def changes(most: int = 20) -> list[Change]:
    """The last changes of settings, newest first."""
    rows = AuditEntry.objects.filter(action="setting").order_by("-id")[:most]
    return [Change(row.at, row.who, row.subject, row.before, row.after) for row in rows]
