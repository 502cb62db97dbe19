"""A lead became a contact: what both sides agreed on moves with the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncadmin.engine.mapping import FieldPair
from syncadmin.engine.verdicts import Agreed


def carry_over(
    agreed: Mapping[str, Agreed], lead_pairs: Iterable[FieldPair], contact_pairs: Iterable[FieldPair]
) -> dict[str, Agreed]:
    """The contact's agreed values by pair key, taken from lead pairs of the same Marketo field.

    What the qualification's own column mapping changed then counts as a change in Dynamics. Pairs without a
    counterpart are absent: they start as first contact. A lead pair of the same column name is preferred.
    """
    # The Marketo person stays the same, so its field is what lead and contact pairs have in common.
    by_field: dict[str, dict[str, Agreed]] = {}
    for pair in lead_pairs:
        if pair.key in agreed:
            by_field.setdefault(pair.marketo, {})[pair.dynamics] = agreed[pair.key]
    carried: dict[str, Agreed] = {}
    for pair in contact_pairs:
        found = by_field.get(pair.marketo)
        if found:
            carried[pair.key] = found.get(pair.dynamics) or next(iter(found.values()))
    return carried
