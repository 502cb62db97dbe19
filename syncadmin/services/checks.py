"""The named checks before a connection is saved: what was typed, brought into form, and tried one check at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from syncadmin.connectors.budget import Unlimited
from syncadmin.connectors.contract import Check, Connector, DynamicsConnector, MarketoConnector, Probe
from syncadmin.connectors.dynamics import address
from syncadmin.connectors.dynamics import checks as dynamics_checks
from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.errors import ConnectorError, Refused
from syncadmin.connectors.marketo import checks as marketo_checks
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.probes import LATER, SENTENCES, follow, mending, told
from syncadmin.engine.records import Lane, Side
from syncadmin.services import connect
from syncadmin.services.connect import World
from syncadmin.store import vault
from syncadmin.store.models import Connection

__all__ = ["LATER", "SENTENCES", "Attempt", "Check", "WrongAddress", "go_on", "names", "stored", "verdict"]

# The wizard promises a sentence within fifteen seconds; what waits longer is cut off: the checks that one request makes,
# and asking who we are before a connection is saved.
PATIENCE, LAST_PATIENCE = timedelta(seconds=10), timedelta(seconds=4)
TABLES = frozenset({"lead", "contact"})


class WrongAddress(ValueError):
    """What was typed can be no address of that system; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A connection as somebody wants it. Nothing of it is stored as a connection before its checks are good.

    ``expires`` is the day the secret ends (ISO), if known: neither system tells it.
    """

    side: Side
    url: str
    client_id: str
    secret: str = field(repr=False)
    tenant: str = ""
    authority: str = ""
    identity_url: str = ""
    allow_private: bool = False
    expires: str = ""

    @property
    def dynamics(self) -> DynamicsConfig:
        return DynamicsConfig(
            self.url, self.tenant, self.client_id, self.secret, self.authority, allow_private=self.allow_private
        )

    @property
    def marketo(self) -> MarketoConfig:
        return MarketoConfig(self.url, self.client_id, self.secret, self.identity_url, self.allow_private)

    def sealed(self) -> dict[str, Any]:
        """As a session may keep it."""
        return {**asdict(self), "secret": vault.seal(self.secret)}

    @classmethod
    def unsealed(cls, kept: dict[str, Any]) -> Attempt:
        """Raises ``vault.Unopened``."""
        return cls(**{**kept, "side": Side(kept["side"]), "secret": vault.unseal(kept["secret"])})


def normal(attempt: Attempt) -> Attempt:
    """With addresses and tenant in the form the systems use, whatever was pasted. Raises ``WrongAddress``."""
    try:
        if attempt.side is Side.MARKETO:
            return replace(
                attempt,
                url=attempt.marketo.root,
                identity_url=attempt.marketo.identity_root if attempt.identity_url.strip() else "",
            )
        url = address.normalised(attempt.url)
        authority = attempt.authority.strip().rstrip("/") or address.authority_of(url)
        return replace(attempt, url=url, authority=authority, tenant=address.tenant_of(attempt.tenant))
    except Refused as error:
        raise WrongAddress(error.message) from error


def stored(side: Side) -> Attempt | None:
    """The connection there is. Raises ``vault.Unopened``."""
    row = Connection.objects.filter(side=side).first()
    if row is None:
        return None
    config = row.config
    return Attempt(
        side,
        row.base_url,
        str(config.get("client_id", "")),
        vault.unseal(row.sealed),
        tenant=str(config.get("tenant", "")),
        authority=str(config.get("authority", "")),
        identity_url=str(config.get("identity_url", "")),
        allow_private=bool(config.get("allow_private", False)),
        expires=str(config.get("expires", "")),
    )


def names(side: Side) -> list[str]:
    """The checks of a side in the order they are made."""
    return dynamics_checks.names() if side is Side.DYNAMICS else marketo_checks.names()


def go_on(attempt: Attempt, done: Sequence[Check], *, steps: int = 0, world: World | None = None) -> list[Check]:
    """The checks that are done and the next ``steps`` of them (0: all), within ``PATIENCE`` together. Never raises."""
    world = world or connect.real_world()
    until = world.now() + PATIENCE
    found = list(done)
    try:
        connector, probes = _opened(attempt, world, until)
    except ConnectorError as error:
        return _shut(attempt.side, error)
    try:
        made = 0
        while (not steps or made < steps) and (check := follow(probes, found)) is not None:
            found.append(check)
            # What cannot be tried any more is no step: nobody has to wait for it.
            made += check.message != LATER
    finally:
        connector.close()
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the finished checks allow. ``to_accept``: what would have to be given up, each a word of ``Check.accept``."""

    blocked: bool
    to_accept: tuple[str, ...]


def verdict(side: Side, checks: Sequence[Check]) -> Verdict:
    """Whether a connection may be saved, and what somebody must agree to before."""
    wrong = [check for check in checks if check.ok is False or (check.ok is None and check.needed)]
    given_up = tuple(dict.fromkeys(check.accept for check in wrong if check.accept))
    # Without both tables nothing is left to sync.
    blocked = any(not check.accept for check in wrong) or (given_up and set(given_up) >= TABLES)
    return Verdict(bool(blocked) or len(checks) < len(names(side)), given_up)


def connector_of(attempt: Attempt, world: World) -> DynamicsConnector | MarketoConnector:
    """A connector for this attempt alone; its calls are not accounted to the day. Raises ``ConnectorError``."""
    if attempt.side is Side.DYNAMICS:
        return connect.dynamics(attempt.dynamics, world, Unlimited())
    return connect.marketo(attempt.marketo, world, Unlimited())


def _opened(attempt: Attempt, world: World, until: datetime) -> tuple[Connector, Sequence[Probe]]:
    if attempt.side is Side.DYNAMICS:
        dynamics = connect.dynamics(attempt.dynamics, world, Unlimited())
        probe_id = str(connect.time_ordered(world.now(), world.rng.getrandbits(74)))
        return dynamics, dynamics.for_work(Lane.LIVE, "setup", until).probes(probe_id=probe_id)
    marketo = connect.marketo(attempt.marketo, world, Unlimited())
    return marketo, marketo.for_work(Lane.LIVE, "setup", until).probes()


def _shut(side: Side, error: ConnectorError) -> list[Check]:
    """An address that is not even tried: the first check is red, and the others come later."""
    first, *others = names(side)
    message, detail = told(error)
    remedy = mending(error, dynamics_checks.REMEDIES.get(first, marketo_checks.WHERE_ADDRESS))
    red = Check(first, False, message, remedy, detail=detail, needed=True)
    return [red, *(Check(name, None, LATER) for name in others)]
