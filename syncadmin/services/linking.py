"""Makes links: with a person who is there, or with one that is about to be created."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from syncadmin.engine.records import Lane, Ref
from syncadmin.services import history, record
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import DynamicsRecord, Link, PendingWrite, Run


def link(ref: Ref, person: int, *, how: str, lane: Lane, run: Run | None, now: datetime, who: str = "") -> Link:
    """Links a Dynamics record and a person, both without a partner, and has them merged.

    A link that waits for its create in Marketo takes the person instead. Violates the unique constraint if the person
    is somebody else's by now: the caller's transaction then fails and is tried anew.
    """
    mirror = DynamicsRecord.objects.get(guid=ref.id)
    PendingWrite.objects.filter(link__dynamics=ref.id, side="marketo", op="create", state="waiting").delete()
    made, _ = Link.objects.update_or_create(
        dynamics=UUID(ref.id),
        defaults={
            "table": ref.table,
            "marketo": person,
            "name": mirror.name,
            "email": mirror.email,
            "dirty": True,
            "lane": lane,
        },
        create_defaults={
            "table": ref.table,
            "marketo": person,
            "name": mirror.name,
            "email": mirror.email,
            "dirty": True,
            "lane": lane,
            "linked_at": now,
        },
    )
    details = {"how": how, "table": ref.table, "dynamics": ref.id, "marketo": person}
    ledger.activities([history.line(Kind.LINKED, now, link=made.pk, details=details, who=who, run=run)])
    return made


def create_person(ref: Ref, *, by_id: bool, lane: Lane, run: Run | None, now: datetime, who: str = "") -> bool:
    """Claims a create in Marketo for a Dynamics record. False: one is in flight for the same e-mail."""
    mirror = DynamicsRecord.objects.get(guid=ref.id)
    point = transaction.savepoint()
    made, _ = Link.objects.get_or_create(
        dynamics=UUID(ref.id),
        defaults={"table": ref.table, "name": mirror.name, "email": mirror.email, "lane": lane, "linked_at": now},
    )
    write = record.creating(made.pk, ref.id, mirror.values, lane, run, now)
    write.values = {"by_id": by_id}
    if ledger.writes([write]):
        transaction.savepoint_commit(point)
        return True
    transaction.savepoint_rollback(point)
    return False
