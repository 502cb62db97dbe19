"""Bulk writing of what the services decided: activities, pending writes, conflicts, failures, decisions.

Every function runs in the caller's transaction and is idempotent where the design asks for it: a conflict is one row
for its fingerprint, a failure one open row for its subject, side and key, a decision one open row for its subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import models, transaction

from syncadmin.engine.shapes import shape_of
from syncadmin.store import options, staging, text
from syncadmin.store.models import Activity, Conflict, Decision, Failure, PendingWrite

_ACTIVITY = ("link_id", "dynamics", "marketo", "at", "kind", "side", "changes", "details", "who", "run_id")


def activities(lines: Iterable[Activity]) -> None:
    """Appends history lines by COPY and moves the links' last activity forward."""
    rows = list(lines)
    if not rows:
        return
    staging.insert("store_activity", _ACTIVITY, (_tuple(row, _ACTIVITY) for row in rows))
    linked = sorted({row.link_id for row in rows if row.link_id})
    if linked:
        # Whoever wrote the link in this transaction moved it forward already, and a row need not be written twice.
        staging.run(
            """WITH locked AS (SELECT id FROM store_link
                               WHERE id = ANY(%s) AND (last_activity_at IS NULL OR last_activity_at < %s)
                               ORDER BY id FOR UPDATE)
               UPDATE store_link l SET last_activity_at = %s FROM locked WHERE l.id = locked.id""",
            [linked, *[max(row.at for row in rows)] * 2],
        )


def writes(rows: Sequence[PendingWrite]) -> list[PendingWrite]:
    """Inserts pending writes; creates that clash with an unfinished write are left out. Answers what was inserted."""
    # Before the start nothing may be claimed for sending, whoever decided it.
    state = "waiting" if options.read().started else "planned"
    for row in rows:
        row.state = state if row.state == "waiting" else row.state
        row.values = text.storable(row.values)
        row.fields = text.storable(row.fields)
    plain = [row for row in rows if row.op != "create"]
    append_writes(plain)
    creates = [row for row in rows if row.op == "create"]
    return plain + (_insert_creates(creates) if creates else [])


_WRITE = (
    "link_id", "side", "op", "table", "target", "values", "fields", "version", "email", "state", "lane", "attempts",
    "not_before", "owner", "decided_at", "sent_at", "inputs", "run_id",
)  # fmt: skip


def append_writes(rows: Sequence[PendingWrite]) -> None:
    """Inserts pending writes that can clash with none; their ids are not told."""
    if rows:
        staging.insert("store_pendingwrite", _WRITE, (_tuple(row, _WRITE) for row in rows))


def _tuple(row: models.Model, columns: Sequence[str]) -> list[object]:
    found = (getattr(row, name) for name in columns)
    return [text.dump(value) if isinstance(value, dict | list) else value for value in found]


def _insert_creates(rows: Sequence[PendingWrite]) -> list[PendingWrite]:
    """Of two creates for one address, or for one link, only the first gets in."""
    busy = set(
        PendingWrite.objects.filter(
            link_id__in=[row.link_id for row in rows if row.link_id], op__in=["create", "update"]
        ).values_list("link_id", "side")
    )
    free = [row for row in rows if (row.link_id, row.side) not in busy]
    PendingWrite.objects.bulk_create(free, ignore_conflicts=True)
    found = PendingWrite.objects.filter(link_id__in=[row.link_id for row in free if row.link_id], op="create")
    made: dict[tuple[int | None, str], int] = {
        (link, side): pk for link, side, pk in found.values_list("link_id", "side", "pk")
    }
    inserted = [row for row in free if (row.link_id, row.side) in made]
    for row in inserted:
        row.pk = made[(row.link_id, row.side)]
    return inserted


def conflicts(rows: Sequence[Conflict]) -> list[Conflict]:
    """Stores conflicts not stored before (by fingerprint); answers the new ones."""
    fingerprints = {row.fingerprint for row in rows}
    # The same two values meet again after other ones had settled the question: it is asked anew.
    Conflict.objects.filter(fingerprint__among=fingerprints, rule="by_itself").delete()
    known = set(Conflict.objects.filter(fingerprint__among=fingerprints).values_list("fingerprint", flat=True))
    fresh = list({row.fingerprint: row for row in rows if row.fingerprint not in known}.values())
    Conflict.objects.bulk_create(fresh, ignore_conflicts=True)
    # Where rows may be left out, the database does not say which ids the others got.
    stored = {row.fingerprint: row.pk for row in Conflict.objects.filter(fingerprint__among=fingerprints)}
    for row in fresh:
        row.pk = stored[row.fingerprint]
    return fresh


def settle_conflicts(link: int, keys: Iterable[str], *, but: Iterable[str] = ()) -> None:
    """Closes the open conflicts of these fields, those with these fingerprints excepted: the values moved on."""
    opened = Conflict.objects.filter(link_id=link, key__in=list(keys), state="open").exclude(rule="overtaken")
    opened.exclude(fingerprint__in=list(but)).update(state="decided", rule="by_itself")


def failure(row: Failure) -> bool:
    """Opens a failure, or counts one more attempt of the open one. True if it was opened now or its cause changed."""
    found = staging.query(
        """INSERT INTO store_failure AS f (subject, link_id, side, "table", operation, key, "column", cause, code, message,
                                           value, attempts, opened_at, last_at, next_try_at, closed_by, ignored, run_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, %s, '', false, %s)
           ON CONFLICT (subject, side, key) WHERE closed_at IS NULL DO UPDATE SET
               cause = excluded.cause, code = excluded.code, message = excluded.message, value = excluded.value,
               "column" = excluded."column", attempts = f.attempts + 1, last_at = excluded.last_at,
               -- Put aside until it changes: another cause or another value is a change.
               ignored = f.ignored AND f.cause = excluded.cause AND f.value IS NOT DISTINCT FROM excluded.value,
               next_try_at = excluded.next_try_at, run_id = excluded.run_id
           RETURNING id, attempts""",
        [
            row.subject,
            row.link_id,
            row.side,
            row.table,
            row.operation,
            row.key,
            row.column,
            row.cause,
            row.code[:40],
            text.storable(row.message),
            text.dump(row.value),
            row.opened_at,
            row.last_at,
            row.next_try_at,
            row.run_id,
        ],
    )
    row.pk, row.attempts = found[0]
    return bool(row.attempts == 1)


def close_failures(subject: str, side: str, keys: Iterable[str], *, now: datetime, by: str = "") -> list[Failure]:
    """Closes the open failures of these keys; answers them."""
    with transaction.atomic():
        wanted = Failure.objects.filter(subject=subject, side=side, key__in=list(keys), closed_at__isnull=True)
        closed = list(wanted.select_for_update())
        if closed:
            wanted.update(closed_at=now, closed_by=by)
    return closed


def decision(row: Decision) -> Decision | None:
    """Opens a decision; refreshes the facts of the open one about the same subject. None if it was open already."""
    shape = shape_of(row.kind, row.facts, row.choices)
    opened, created = Decision.objects.get_or_create(
        kind=row.kind,
        subject=row.subject,
        answered_at=None,
        defaults={
            "link_id": row.link_id,
            "facts": text.storable(row.facts),
            "choices": row.choices,
            "shape": shape,
            "opened_at": row.opened_at,
            "run_id": row.run_id,
        },
    )
    if not created:
        Decision.objects.filter(pk=opened.pk).update(facts=text.storable(row.facts), choices=row.choices, shape=shape)
    return opened if created else None


def withdraw_decisions(kind: str, subjects: Sequence[str], *, now: datetime) -> None:
    """As ``withdraw_decision``, for many."""
    Decision.objects.filter(kind=kind, subject__among=set(subjects), answered_at__isnull=True).update(
        answered_at=now, answer={"choice": "withdrawn"}
    )


def withdraw_decision(kind: str, subject: str, *, now: datetime) -> None:
    """The question has gone away by itself."""
    Decision.objects.filter(kind=kind, subject=subject, answered_at__isnull=True).update(
        answered_at=now, answer={"choice": "withdrawn"}
    )


def answered(rows: Sequence[tuple[int, str, bool]], *, who: str, now: datetime) -> None:
    """Notes answers: (decision, choice, whether the next run has to carry it out)."""
    staging.run(
        """UPDATE store_decision d SET answer = jsonb_build_object('choice', v.choice), answered_at = %s, answered_by = %s,
                  due = v.due, note = ''
           FROM unnest(%s::bigint[], %s::text[], %s::boolean[]) AS v(id, choice, due) WHERE d.id = v.id""",
        [now, who, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]],
    )
