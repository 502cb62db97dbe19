"""Values of a few real people, side by side, to show what a pair would join. Read once for each metadata read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.cache import cache

from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.fields import Bound, Unconvertible, comparable, outgoing, travels
from syncadmin.engine.records import Lane, Raw, Record, Ref, Side, Table
from syncadmin.services import connect
from syncadmin.services.context import Context
from syncadmin.store import schemas
from syncadmin.store.models import DynamicsRecord, Link

# Enough to see how values are spelt, few enough for one call a side.
PEOPLE = 5
_KEEP = int(timedelta(hours=1).total_seconds())
_PATIENCE = timedelta(seconds=10)
_FACE = ("firstname", "lastname", "emailaddress1")


@dataclass(frozen=True, slots=True)
class Person:
    """One sampled record and the Marketo person with its e-mail, if there is one. Values are raw, by name."""

    name: str
    dynamics: Mapping[str, Raw]
    marketo: Mapping[str, Raw] | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One person's two values of a pair, and what would arrive on each side (None: nothing would, or could)."""

    name: str
    dynamics: Raw
    marketo: Raw
    has_person: bool
    arrives: Mapping[str, Raw] = field(default_factory=dict)
    fails: Mapping[str, str] = field(default_factory=dict)


class NoSamples(Exception):
    """The systems cannot be asked now; the message says why."""


def now_or_never(table: Table) -> list[Person]:
    """As ``people``, by the stored connections. Raises ``NoSamples``."""
    try:
        return people(connect.context(), table)
    except ConnectorError as error:
        raise NoSamples(error.message) from error
    except (connect.NotConnected, connect.Unopened) as error:
        raise NoSamples(str(error)) from error


def people(ctx: Context, table: Table) -> list[Person]:
    """A few records of the table with all readable columns. Raises the connectors' errors."""
    read_at = schemas.read_at(table)
    known = f"fields.samples.{table}.{read_at.timestamp() if read_at else 0}"
    found: list[Person] | None = cache.get(known)
    if found is None:
        found = _read(ctx, table)
        cache.set(known, found, _KEEP)
    return found


def of_pair(bound: Bound, found: Sequence[Person]) -> list[Sample]:
    """The people's values in this pair, converted as the sync would."""
    return [_sample(bound, person) for person in found]


def _sample(bound: Bound, person: Person) -> Sample:
    d = person.dynamics.get(bound.pair.dynamics)
    m = (person.marketo or {}).get(bound.pair.marketo)
    arrives: dict[str, Raw] = {}
    fails: dict[str, str] = {}
    for side in travels(bound):
        raw = d if side is Side.MARKETO else m
        if raw in (None, "") or (side is Side.DYNAMICS and person.marketo is None):
            continue
        try:
            arrives[side] = outgoing(bound, side, comparable(bound, side.other, raw), raw).raw
        except Unconvertible as error:
            fails[side] = error.code
    return Sample(person.name, d, m, person.marketo is not None, arrives, fails)


def _read(ctx: Context, table: Table) -> list[Person]:
    known = schemas.current()
    until = ctx.now() + _PATIENCE
    dynamics = ctx.dynamics.for_work(Lane.LIVE, "samples", until)
    columns = [name for name, column in known[table].columns.items() if column.readable]
    # The mirror knows who is there; before the first read a page of names does.
    records = dynamics.fetch(_refs(table) or _first(ctx, table), columns).records
    emails = [mail for record in records if (mail := _text(record, "emailaddress1"))]
    fields = [name for name, column in known[Table.PERSON].columns.items() if column.readable]
    marketo = ctx.marketo.for_work(Lane.LIVE, "samples", until)
    there = marketo.find(Table.PERSON, "email", emails, fields) if emails else []
    by_email = {_text(person, "email").casefold(): person.values for person in there}
    return [
        Person(_name(record), record.values, by_email.get(_text(record, "emailaddress1").casefold()))
        for record in records
    ]


def _refs(table: Table) -> list[Ref]:
    """Linked people first: they have something to show on both sides."""
    linked = Link.objects.filter(table=table, dynamics__isnull=False, marketo__isnull=False).exclude(email="")
    found = list(linked.order_by("-id").values_list("dynamics", flat=True)[:PEOPLE])
    seen = DynamicsRecord.objects.filter(table=table, deleted_at__isnull=True, filtered=False).exclude(email="")
    more = seen.exclude(guid__in=[guid for guid in found if guid]).order_by("-id").values_list("guid", flat=True)
    return [Ref(table, str(guid)) for guid in [*found, *more[: PEOPLE - len(found)]]]


def _first(ctx: Context, table: Table) -> list[Ref]:
    dynamics = ctx.dynamics.for_work(Lane.LIVE, "samples", ctx.now() + _PATIENCE)
    page = dynamics.full_read(table, [name for name in _FACE if name in schemas.current()[table].columns])
    with_email = [record.ref for record in page.records if _text(record, "emailaddress1")]
    return with_email[:PEOPLE]


def _name(record: Record) -> str:
    return " ".join(filter(None, (_text(record, "firstname"), _text(record, "lastname"))))


def _text(record: Record, name: str) -> str:
    value = record.values.get(name)
    return value.strip() if isinstance(value, str) else ""
