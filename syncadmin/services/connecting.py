"""Around the checks of a connection: what was typed is completed before them, and what follows them is set up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.probes import told
from syncadmin.engine.records import Side, Table
from syncadmin.services import checks, connect, sandbox_setup, setup
from syncadmin.services.checks import Attempt
from syncadmin.services.connect import Unopened
from syncadmin.services.equip_marketo import wanted_activity, wanted_fields
from syncadmin.store import options, schemas
from syncadmin.store.models import AuditEntry, Connection

TYPE_AGAIN = gettext_noop("The address is another one: enter the secret again, so that it goes only where you send it.")
NOT_OPENED = gettext_noop("The stored secret cannot be opened any more: enter it again.")


class SecretWanted(ValueError):
    """The secret that is kept may not be used for this; the message says why."""


def completed(attempt: Attempt, before: Attempt | None) -> Attempt:
    """With addresses in form, the kept secret where none was typed, and the sandbox recognised.

    ``before`` is what was tried last, else the stored connection counts. A kept secret is never sent to another host
    than it was typed for. Raises ``SecretWanted``, ``WrongAddress``.
    """
    wanted = checks.normal(attempt)
    offered = sandbox_setup.offered(attempt.side)
    is_sandbox = offered is not None and wanted.url == offered.url
    if is_sandbox and offered is not None:
        # Its sign-in is at its own address, and that lies on this machine; no other address may come in with it.
        wanted = replace(wanted, allow_private=True, authority=offered.authority, identity_url=offered.identity_url)
    if wanted.secret and is_sandbox:
        return wanted
    try:
        known = before or checks.stored(attempt.side)
    except Unopened:
        if wanted.secret:
            return wanted
        raise SecretWanted(NOT_OPENED) from None
    if known is not None and _hosts(known) == _hosts(wanted):
        # An operator allowed this address at the terminal; that stays as long as it is the same one.
        return replace(wanted, secret=wanted.secret or known.secret, allow_private=known.allow_private)
    if not wanted.secret:
        raise SecretWanted(TYPE_AGAIN)
    return wanted


def _hosts(attempt: Attempt) -> tuple[str, ...]:
    return tuple(urlsplit(url).netloc.lower() for url in (attempt.url, attempt.authority, attempt.identity_url))


def settle(attempt: Attempt, *, quota: int, who: str, now: datetime) -> None:
    """What belongs to a connection beside it: the day its secret ends, Marketo's quota, and the sandbox's short pauses."""
    if attempt.side is Side.DYNAMICS:
        setup.change("dynamics_secret_until", attempt.expires, who=who, now=now)
    if quota and attempt.side is Side.MARKETO:
        setup.change("marketo_quota", quota, who=who, now=now)
    offered = sandbox_setup.offered(attempt.side)
    if offered is not None and attempt.url == offered.url and attempt.side is Side.MARKETO:
        sandbox_setup.hurry(who=who, now=now)


# --- what is ours in Marketo -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A field of ours, or the activity type (``kind`` is empty); ``there`` as last seen, None if nobody looked yet."""

    name: str
    label: str
    kind: str
    there: bool | None


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the sync wants in Marketo. ``attributes`` are the activity type's: name, label, type."""

    fields: tuple[Piece, ...]
    activity: Piece
    attributes: tuple[tuple[str, str, str], ...]
    observe_only: bool

    @property
    def complete(self) -> bool:
        return bool(self.activity.there) and all(field.there for field in self.fields)


def equipment() -> Equipment:
    """As it stands by what was read last."""
    chosen = options.read()
    people = schemas.load(Table.PERSON)
    known = None if people is None else {name.casefold() for name in people.columns}
    wanted = wanted_activity(chosen)
    return Equipment(
        tuple(
            Piece(field.name, field.label, field.kind, None if known is None else field.name.casefold() in known)
            for field in wanted_fields(chosen)
        ),
        Piece(wanted.api_name, wanted.name, "", chosen.activity_type_id > 0 or (None if known is None else False)),
        ((*wanted.primary, "string"), *wanted.attributes),
        chosen.observe_only,
    )


@dataclass(frozen=True, slots=True)
class Equipping:
    """What could not be made, (name, why); ``trouble`` if Marketo could not be asked at all."""

    missing: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


def equip(*, who: str) -> Equipping:
    """Makes our fields and activity type in Marketo, or takes over what is there; then reads both systems' columns."""
    try:
        ctx = connect.context()
        made = setup.ensure_marketo(ctx)
        setup.refresh_schema(ctx)
    except ConnectorError as error:
        return Equipping(trouble=" ".join(filter(None, told(error))))
    except (connect.NotConnected, Unopened) as error:
        return Equipping(trouble=str(error))
    missing = [name for name, _ in made.missing]
    chosen = options.read()
    # Without the activity type results are not told in Marketo; without the fields nobody can be found again.
    options.write("equipped", not {field.name for field in wanted_fields(chosen)} & set(missing))
    AuditEntry.objects.create(at=ctx.now(), who=who, action="equip", subject="marketo", after={"missing": missing})
    return Equipping(made.missing)


def learn() -> str:
    """Reads the columns of both systems if they are not known yet; a sentence if that fails, else empty."""
    if Connection.objects.count() < 2 or all(schemas.load(table) is not None for table in Table):
        return ""
    try:
        ctx = connect.context()
        setup.refresh_schema(ctx)
    except ConnectorError as error:
        return " ".join(filter(None, told(error)))
    except Unopened as error:
        return str(error)
    return ""
