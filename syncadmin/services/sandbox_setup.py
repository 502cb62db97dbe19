"""Sets the sync up against the two sandboxes, with the default fields: what `make run` starts with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from syncadmin.connectors.contract import MarketoConnector
from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.records import Lane, Side
from syncadmin.services import connect, setup
from syncadmin.services.checks import Attempt
from syncadmin.services.connect import World
from syncadmin.store import options
from syncadmin.store.models import Connection

NAME, SECRET = "sandbox", "sandbox-secret"
WHO = "manage.py sandbox connect"
# Change lines of the sandbox come at once, so a receipt need not wait as long as a real account's; nor do its exports.
SETTINGS = {"wait": 10, "longest_wait": 10, "receipt_patience": 60, "extract_poll": 2}
# The sandbox is younger than this when it is connected.
_OLDEST = timedelta(days=60)
LIST_NAMES = ("Sync to Dynamics 365", "Create in Dynamics")


class NotSetUp(Exception):
    """A sandbox did not let itself be connected; the message says why."""


# What may go wrong with a sandbox that does not answer as it should.
Trouble = (NotSetUp, ConnectorError)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the two sandboxes listen."""

    dynamics: str
    marketo: str


def offered(side: Side) -> Attempt | None:
    """The sandbox of this installation as a connection, where it runs with one."""
    url = settings.SANDBOX_ADDRESSES.get(side, "")
    if not url:
        return None
    if side is Side.MARKETO:
        return Attempt(side, url, NAME, SECRET, allow_private=True)
    return Attempt(side, url, NAME, SECRET, tenant=NAME, authority=url, allow_private=True)


def hurry(*, who: str, now: datetime) -> None:
    """Short pauses: nobody wants to wait minutes for a sandbox."""
    since = (now - _OLDEST).date().isoformat()
    for name, value in {**SETTINGS, "marketo_since": since}.items():
        setup.change(name, value, who=who, now=now)


def is_set_up() -> bool:
    """Whether the sync has been started already."""
    return Connection.objects.count() == 2 and options.read().started


def set_up(places: Places, world: World | None = None) -> int:
    """Connects, reads metadata, makes our fields, takes the default pairs and starts; answers how many pairs."""
    world = world or connect.real_world()
    _connect(places, world)
    # The connectors of the two steps differ: only the second ones know the metadata.
    ctx = connect.context(world)
    missing = setup.ensure_marketo(ctx).missing
    if missing:
        raise NotSetUp("; ".join(f"{name}: {why}" for name, why in missing))
    setup.refresh_schema(ctx)
    now = world.now()
    hurry(who=WHO, now=now)
    setup.change("list_id", _list(ctx.marketo.for_work(Lane.LIVE, "setup")), who=WHO, now=now)
    setup.choose_defaults(who=WHO, now=now)
    setup.start(who=WHO, now=now)
    return len(setup.suggested())


def _connect(places: Places, world: World) -> None:
    dynamics = DynamicsConfig(places.dynamics, NAME, NAME, SECRET, authority=places.dynamics, allow_private=True)
    marketo = MarketoConfig(places.marketo, NAME, SECRET, allow_private=True)
    for connected in (
        setup.connect_dynamics(dynamics, who=WHO, world=world),
        setup.connect_marketo(marketo, who=WHO, world=world),
    ):
        red = [check for check in connected.checks if check.ok is False]
        if red:
            raise NotSetUp("; ".join(f"{check.name}: {check.text} {check.remedy}" for check in red))


def _list(marketo: MarketoConnector) -> str:
    """The static list for batch Sync Person, if the sandbox has it under one of its names."""
    by_name = {found.name: found.id for found in marketo.lists()}
    return next((by_name[name] for name in LIST_NAMES if name in by_name), "")
