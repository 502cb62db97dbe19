"""What a planned write was decided from, as a digest: equal digests, equal decision."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from syncadmin.services.rulebook import Rulebook
from syncadmin.store import text
from syncadmin.store.cases import Case
from syncadmin.store.models import PausedPair, TableSchema
from syncadmin.store.options import Options

# Who is who depends on these; what is merged and how, on the others as well.
_PAIRING = ("leads", "contacts", "filter_column", "several", "guid_field")
_RULES = (*_PAIRING, "field_version", "time_zone", "first_contact", "type_field", "deleted_field")


def rules(book: Rulebook) -> str:
    """The settings, field pairs and columns that decide what is written."""
    chosen = _chosen(book.options, _RULES)
    digests = sorted(TableSchema.objects.values_list("table", "digest"))
    return text.digest(text.dump([chosen, digests, sorted(PausedPair.objects.values_list("key", flat=True))]))


def pairing(book: Rulebook) -> str:
    """The settings that decide who is the same person as whom."""
    return text.digest(text.dump(_chosen(book.options, _PAIRING)))


def of(case: Case, book: Rulebook) -> str:
    """Values of both sides as far as pairs name them, what is agreed, and the rules."""
    bounds = book.bounds[case.table]
    stands = [case.stopped, case.filtered, case.dynamics_deleted, case.marketo_deleted, case.company_linked]
    return text.digest(
        text.dump(
            [
                _kept(case.d, frozenset(bound.pair.dynamics for bound in bounds)),
                _kept(case.m, frozenset(bound.pair.marketo for bound in bounds)),
                [case.dynamics, case.marketo, case.table, *stands],
                case.agreed,
                _pairs(book.options, book.options.field_version, tuple(bound.pair.paused for bound in bounds)),
            ]
        )
    )


def _kept(values: Mapping[str, Any] | None, names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if name in names}


@lru_cache(maxsize=8)
def _pairs(options: Options, version: int, paused: tuple[bool, ...]) -> str:
    return text.digest(text.dump([_chosen(options, _RULES), version, paused]))


def _chosen(options: Options, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names}
