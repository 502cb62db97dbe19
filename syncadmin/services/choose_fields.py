"""Which fields are kept in step: the defaults, and saving a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.engine.defaults import default_pairs
from syncadmin.engine.fields import FieldPair
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Schema
from syncadmin.services.pair_faults import Fault, faults
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.models import AuditEntry


class NoMetadata(Exception):
    """The tables' metadata has not been read yet."""


class NoPairs(Exception):
    """A set without any pair: nothing would be synced. Nothing was saved."""


class WrongPairs(Exception):
    """Some pairs cannot work; ``reasons`` by pair key. Nothing was saved."""

    def __init__(self, reasons: Mapping[str, Fault]) -> None:
        super().__init__(" ".join(f"{key}: {reason}" for key, reason in reasons.items()))
        self.reasons = reasons


def known_tables() -> dict[Table, Schema]:
    """The metadata of all tables. Raises ``NoMetadata``."""
    known = schemas.current()
    if len(known) < len(Table):
        raise NoMetadata(gettext_noop("The fields of both systems are not known yet: connect both first."))
    return known


def own_names() -> tuple[str, ...]:
    """What our own fields in Marketo are called: no pair may hold them."""
    names = options.read()
    return names.guid_field, names.type_field, names.deleted_field


def suggested() -> list[FieldPair]:
    """The default pairs, as far as the columns exist and can work. Raises ``NoMetadata``."""
    known = known_tables()
    people = known[Table.PERSON]
    pairs = [pair for table in (Table.LEAD, Table.CONTACT) for pair in default_pairs(table, known[table], people)]
    unfit = faults(pairs, known)
    return [pair for pair in pairs if pair.key not in unfit]


def choose_defaults(*, who: str, now: datetime) -> int:
    """Puts the default pairs in force; answers the version. Raises ``NoMetadata``."""
    return save_fields(suggested(), who=who, now=now)


def save_fields(pairs: Sequence[FieldPair], *, who: str, now: datetime, source: int = 0) -> int:
    """Puts a set of pairs in force with the next batch; answers its version.

    What it means for people who are linked already is done by the loop (``apply_fields``). ``source`` is the version
    that was returned to. A pair that says it is ``paused`` stays so; any other goes on with the types of today. Raises ``WrongPairs``, ``NoPairs``, ``NoMetadata``.
    """
    reasons = faults(pairs, known_tables(), own_names())
    if reasons:
        raise WrongPairs(reasons)
    if not pairs:
        raise NoPairs(gettext_noop("Choose at least one field pair."))
    with transaction.atomic():
        current = options.read().field_version
        before = [pair.key for pair in fieldsets.pairs(current)]
        kinds = fieldsets.chosen_kinds(current)
        # A pause is never ended by saving something else.
        kept = {pair.key: kinds[pair.key] for pair in pairs if pair.paused and pair.key in kinds}
        version = fieldsets.save(pairs, who=who, now=now, source=source, kinds=kept)
        old = options.write("field_version", version)
        fieldsets.forget_pauses(version)
        fieldsets.heal(pair.key for pair in pairs if not pair.paused)
        AuditEntry.objects.create(
            at=now,
            who=who,
            action="fields",
            subject=f"version {version}",
            before={"version": old, "pairs": before},
            after={"version": version, "pairs": [pair.key for pair in pairs]},
        )
    return version
