"""Work and its marks: where each stream stands, what waits to be written, what a write left behind."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncadmin.store.models.document import Document


class Checkpoint(models.Model):
    """Where one stream of changes stands. ``as_of`` is the time of the last stored line.

    Moves only in the transaction that stores what it covers, and only from where the reader found it, so two readers
    of one stream do no harm. ``run`` is the last run that read the stream to its end.
    """

    name = models.CharField(max_length=60, unique=True)
    cursor = models.TextField(default="")
    position = Document(default=dict)
    as_of = models.DateTimeField(null=True)
    run = models.BigIntegerField(default=0)
    owner = models.CharField(max_length=100, default="")


class Worker(models.Model):
    """A process that takes work. While its lease runs, what it owns is nobody else's."""

    name = models.CharField(max_length=100, unique=True)
    lease_until = models.DateTimeField()


class Op(models.TextChoices):
    CREATE = "create", "create"
    UPDATE = "update", "update"
    LOG = "log", "activity log entry"


class WriteState(models.TextChoices):
    """``planned``: a preview's, released at the start. ``waiting``: may be claimed. ``sent``: on its way, or lost."""

    PLANNED = "planned", "planned"
    WAITING = "waiting", "waiting"
    SENT = "sent", "sent"


# What was decided and has not left the house.
UNSENT = (WriteState.PLANNED, WriteState.WAITING)
# In ``inputs``, of a write under way when one of the two records that it was decided from was merged away.
MOVED = "moved"


class PendingWrite(models.Model):
    """A decided change waiting to be sent to one side. The row goes when the answer is stored.

    ``values`` are the raw columns to send. ``fields`` maps pair key to {"sent", "source", "replaced", "rule",
    "agreed"}: what will be agreed, and what history must tell. ``target`` is the record's id over there (for a
    create in Dynamics the GUID we chose). ``inputs`` hashes what the decision was made from.
    """

    link = models.ForeignKey("store.Link", on_delete=models.CASCADE, null=True)
    side = models.CharField(max_length=8)
    op = models.CharField(max_length=8, choices=Op)
    table = models.CharField(max_length=8)
    target = models.CharField(max_length=40, default="")
    values = Document(default=dict)
    fields = Document(default=dict)
    version = models.CharField(max_length=60, default="")
    email = models.CharField(max_length=320, default="")
    state = models.CharField(max_length=8, choices=WriteState, default="waiting")
    lane = models.CharField(max_length=8, default="live")
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    owner = models.CharField(max_length=100, default="")
    decided_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    inputs = models.CharField(max_length=32, default="")
    # As a history line's; and no key is looked up, no index written, for what nobody looks for.
    run = models.ForeignKey("store.Run", on_delete=models.DO_NOTHING, null=True, db_index=False, db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "side"], condition=Q(op__in=["create", "update"]), name="one_unfinished_write"
            ),
            models.UniqueConstraint(
                fields=["side", "email"], condition=Q(op="create") & ~Q(email=""), name="one_create_per_email"
            ),
        ]
        indexes = [
            models.Index(fields=["side", "op", "lane", "id"], name="write_next"),
            models.Index(fields=["link", "id"], name="write_planned", condition=Q(state="planned")),
            # A few at any time, asked for after each step, however many wait.
            models.Index(fields=["side", "op"], name="write_sent", condition=Q(state="sent")),
        ]


class Receipt(models.Model):
    """What a write to Marketo leaves behind until the change feed confirms it. Values are in comparable form.

    ``lines`` are the Change Data Value lines seen for this person and field: [[guid, time, old, new, ours]].
    ``before`` is what was agreed before the write. ``how`` is a to e (design 3.3) once settled.
    """

    link = models.ForeignKey("store.Link", on_delete=models.CASCADE)
    person = models.BigIntegerField()
    key = models.CharField(max_length=220)
    field = models.CharField(max_length=100)
    replaced = Document(null=True)
    sent = Document(null=True)
    rule = models.CharField(max_length=30, default="")
    request_id = models.CharField(max_length=60, default="")
    before = Document(null=True)
    lines = Document(default=list)
    how = models.CharField(max_length=1, default="")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    run = models.ForeignKey("store.Run", on_delete=models.DO_NOTHING, null=True, db_index=False, db_constraint=False)

    class Meta:
        indexes = [
            models.Index(fields=["person", "field"], name="receipt_field"),
            models.Index(fields=["at"], name="receipt_open", condition=Q(how="")),
            models.Index(fields=["id"], name="receipt_told", condition=Q(how="") & ~Q(lines=[])),
            models.Index(fields=["settled_at"], name="receipt_settled", condition=Q(settled_at__isnull=False)),
        ]


class SyncRequest(models.Model):
    """Somebody asked for a person to be created in Dynamics: the webhook, or a static list.

    ``status`` is one of received, created, exists, queued, decision, failed.
    """

    person = models.BigIntegerField()
    sync_as = models.CharField(max_length=8)
    assign_to = models.CharField(max_length=200, default="")
    source = models.CharField(max_length=8)
    status = models.CharField(max_length=8, default="received")
    crm_entity = models.CharField(max_length=8, default="")
    crm_id = models.CharField(max_length=40, default="")
    message = models.TextField(default="")
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    owner = models.CharField(max_length=100, default="")
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(status__in=["received", "queued"]), name="one_request_per_person"
            )
        ]


class Suppression(models.Model):
    """An erased person: pairing and Sync Person leave these ids and this address alone. Keys are keyed hashes."""

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()


class Budget(models.Model):
    """The calls of one side, shared by all workers. ``recent`` are the times (epoch seconds) of the rate window."""

    side = models.CharField(max_length=8, unique=True)
    recent = Document(default=list)
    paused_until = models.DateTimeField(null=True)
    at_once = models.PositiveSmallIntegerField(null=True)
    day = models.DateField(null=True)
    calls = models.PositiveIntegerField(default=0)
    backfill_calls = models.PositiveIntegerField(default=0)


class BudgetUse(models.Model):
    """Calls of one day by lane and purpose, for the screens."""

    side = models.CharField(max_length=8)
    day = models.DateField()
    lane = models.CharField(max_length=8)
    purpose = models.CharField(max_length=40)
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["side", "day", "lane", "purpose"], name="one_use_row")]
