"""What a new set of field pairs means for links and mirrors, a batch of links at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncadmin.engine.records import Table
from syncadmin.store import staging
from syncadmin.store.models import Conflict, Decision, Failure, Link


def links_of(tables: Sequence[Table]) -> int:
    """How many links the tables have. Counted once for each new set."""
    return Link.objects.filter(table__in=tables).count()


def next_links(tables: Sequence[Table], after: int, limit: int) -> list[int]:
    """The next links by id, not locked: mirrors are locked before links."""
    wanted = Link.objects.filter(table__in=tables, id__gt=after).order_by("id")
    return list(wanted.values_list("id", flat=True)[:limit])


def forget_agreed(links: Sequence[int], keys: Sequence[str]) -> None:
    """The two sides of these pairs meet for the first time again."""
    _without(links, "agreed", keys)


def forget_held(links: Sequence[int], keys: Sequence[str]) -> None:
    """Nothing is held back for the sake of these pairs any more."""
    _without(links, "held", keys)


def _without(links: Sequence[int], part: str, keys: Sequence[str]) -> None:
    if keys:
        staging.run(
            f"""UPDATE store_link SET {part} = {part} - %s::text[]
                WHERE id = ANY(%s) AND {part} ?| %s::text[]""",
            [list(keys), list(links), list(keys)],
        )


# Without its hash a row counts as changed by any read that answers more than it holds.
_DYNAMICS = """
    UPDATE store_dynamicsrecord m SET "values" = m."values" - %s::text[], hash = ''
    FROM store_link l WHERE l.id = ANY(%s) AND m.guid = l.dynamics AND m."table" = %s AND m."values" ?| %s::text[]
"""
_PEOPLE = """
    UPDATE store_marketoperson m SET "values" = m."values" - %s::text[], hash = ''
    FROM store_link l WHERE l.id = ANY(%s) AND m.person = l.marketo AND m."values" ?| %s::text[]
"""


def forget_columns(links: Sequence[int], table: Table, columns: Sequence[str]) -> None:
    """Nobody reads these columns now: what is kept of them would grow old unseen."""
    if columns:
        staging.run(_DYNAMICS, [list(columns), list(links), str(table), list(columns)])


def forget_fields(links: Sequence[int], fields: Sequence[str]) -> None:
    """As ``forget_columns``, of the people of these links."""
    if fields:
        staging.run(_PEOPLE, [list(fields), list(links), list(fields)])


def open_failures(links: Sequence[int], keys: Sequence[str]) -> list[tuple[int, int | None, str]]:
    """(link, person, pair key) of open failures of these pairs."""
    found = Failure.objects.filter(link_id__in=links, key__in=keys, closed_at__isnull=True)
    return [(link, person, key) for link, person, key in found.values_list("link_id", "link__marketo", "key") if link]


def close_questions(links: Sequence[int], keys: Sequence[str], now: datetime) -> None:
    """Nobody has to choose between the values of these pairs any more."""
    opened = Conflict.objects.filter(link_id__in=links, key__in=keys, state="open")
    opened.update(state="decided", rule="by_itself")
    asked = Decision.objects.filter(kind="ask", link_id__in=links, facts__key__in=list(keys), answered_at__isnull=True)
    asked.update(answered_at=now, answer={"choice": "withdrawn"})


def close_unlinked(keys: Sequence[str], now: datetime) -> int:
    """Closes open failures of these pairs about records that are not linked; how many."""
    found = Failure.objects.filter(link__isnull=True, key__in=keys, closed_at__isnull=True)
    return found.update(closed_at=now)
