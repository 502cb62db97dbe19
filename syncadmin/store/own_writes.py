"""What our own writes leave in the mirrors, before any read brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncadmin.engine.records import Values
from syncadmin.store import staging, text


def overwrite_dynamics(writes: Sequence[tuple[str, Values, str]], sent: datetime) -> None:
    """After our own write: (guid, values sent, new version). An empty version means it is not known."""
    staging.run(
        """UPDATE store_dynamicsrecord m SET "values" = m."values" || v.vals::jsonb, seen_at = %s, hash = '',
                  version = CASE WHEN v.version = '' THEN m.version ELSE v.version END
           FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS v(guid, vals, version)
           WHERE m.guid = v.guid AND m.seen_at <= %s""",
        [sent, [w[0] for w in writes], [text.dump(w[1]) for w in writes], [w[2] for w in writes], sent],
    )


def overwrite_people(writes: Sequence[tuple[int, Values]], sent: datetime) -> None:
    """After our own write: (person id, values sent)."""
    staging.run(
        """UPDATE store_marketoperson m SET "values" = m."values" || v.vals::jsonb, seen_at = %s, hash = ''
           FROM unnest(%s::bigint[], %s::text[]) AS v(person, vals)
           WHERE m.person = v.person AND m.seen_at <= %s""",
        [sent, [w[0] for w in writes], [text.dump(w[1]) for w in writes], sent],
    )
