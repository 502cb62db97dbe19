"""What our own writes leave in the mirrors, before any read brings it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from syncadmin.engine.candidates import fold_email
from syncadmin.engine.records import Lane, Values
from syncadmin.store import mirror, staging, text


def overwrite_dynamics(writes: Sequence[tuple[str, Values, str]], sent: datetime) -> set[str]:
    """After our own write: (guid, values sent, new version). An empty version means it is not known.

    Answers the addresses that the records had and have now, of those that got another one.
    """
    guids, emails = [w[0] for w in writes], [_email(w[1], "emailaddress1") for w in writes]
    moved = _moving("store_dynamicsrecord", "guid", "uuid", guids, emails)
    staging.run(
        """UPDATE store_dynamicsrecord m SET "values" = m."values" || v.vals::jsonb, seen_at = %s, hash = '',
                  version = CASE WHEN v.version = '' THEN m.version ELSE v.version END,
                  email = coalesce(v.email, m.email)
           FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS v(guid, vals, version, email)
           WHERE m.guid = v.guid AND m.seen_at <= %s""",
        [sent, guids, [text.dump(w[1]) for w in writes], [w[2] for w in writes], emails, sent],
    )
    mirror.mark_waiting(moved, Lane.LIVE)
    return moved


def overwrite_people(writes: Sequence[tuple[int, Values]], sent: datetime) -> set[str]:
    """After our own write: (person id, values sent). Answers as ``overwrite_dynamics``."""
    people, emails = [w[0] for w in writes], [_email(w[1], "email") for w in writes]
    moved = _moving("store_marketoperson", "person", "bigint", people, emails)
    staging.run(
        """UPDATE store_marketoperson m SET "values" = m."values" || v.vals::jsonb, seen_at = %s, hash = '',
                  email = coalesce(v.email, m.email)
           FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(person, vals, email)
           WHERE m.person = v.person AND m.seen_at <= %s""",
        [sent, people, [text.dump(w[1]) for w in writes], emails, sent],
    )
    mirror.mark_waiting(moved, Lane.LIVE)
    return moved


def _email(values: Values, name: str) -> str | None:
    """The folded address a write brings; None if it brings none."""
    if name not in values:
        return None
    value = values[name]
    return fold_email(value)[:320] if isinstance(value, str) else ""


def _moving(table: str, key: str, kind: str, ids: Iterable[object], emails: Iterable[str | None]) -> set[str]:
    """What stands there and what will, of the rows whose address is about to differ."""
    rows = staging.query(
        f"""SELECT m.email, v.email FROM {table} m
            JOIN unnest(%s::{kind}[], %s::text[]) AS v(id, email) ON m.{key} = v.id
            WHERE v.email <> m.email""",
        [list(ids), list(emails)],
    )
    return {email for row in rows for email in row if email}
