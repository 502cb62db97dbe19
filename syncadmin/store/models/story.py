"""What happened and what needs a person: runs, activities, conflicts, failures, decisions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncadmin.store.models.document import Document


class Run(models.Model):
    """One pass of the background loop; at most one is open.

    ``complaint`` is what stopped it or a step of it first: ``code`` with the facts of its sentence; ``message`` what a
    system itself said of it. ``failures`` is how many failures it opened or met again, counted when it was closed.
    """

    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True)
    counts = Document(default=dict)
    calls = Document(default=dict)
    complaint = Document(default=dict)
    message = models.TextField(default="")
    failures = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(finished_at__isnull=True), name="one_open_run")
        ]
        # Most runs find nothing, and the lists that leave them out must not walk over them.
        indexes = [
            models.Index(fields=["-id"], name="run_busy", condition=~Q(counts={})),
            models.Index(fields=["-id"], name="run_troubled", condition=Q(failures__gt=0) | ~Q(complaint={})),
        ]


class Activity(models.Model):
    """One line of a person's history; append-only, erasing a person excepted.

    A person without a partner is named by its record id alone. ``changes`` is [[pair key, old, new, rule], ...];
    ``kind`` is a code of ``store/kinds.py``; ``details`` fills the kind's sentence.
    """

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey("store.Link", on_delete=models.SET_NULL, null=True, db_index=False)
    dynamics = models.UUIDField(null=True)
    marketo = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    side = models.CharField(max_length=8, default="")
    changes = Document(default=list)
    details = Document(default=dict)
    who = models.CharField(max_length=150, default="")
    # Runs are forgotten after a while; their lines keep the number, or forgetting a first sync would write millions anew.
    run = models.ForeignKey("store.Run", on_delete=models.DO_NOTHING, null=True, db_index=False, db_constraint=False)

    class Meta:
        indexes = [
            models.Index(fields=["link", "-id"], name="activity_link"),
            models.Index(fields=["run", "-id"], name="activity_run", condition=Q(run__isnull=False)),
            models.Index(fields=["dynamics"], name="activity_dynamics", condition=Q(link__isnull=True)),
            models.Index(fields=["marketo"], name="activity_marketo", condition=Q(link__isnull=True)),
        ]


class Conflict(models.Model):
    """Both sides changed one field to different values since they last agreed, as known at one merge.

    Values are in comparable form. ``state``: decided, open (the pair asks), chosen (a person decided, a run is to carry
    it out), applied (a run did), passed (a value had changed before a run could).
    """

    link = models.ForeignKey("store.Link", on_delete=models.CASCADE)
    key = models.CharField(max_length=220)
    agreed_dynamics = Document(null=True)
    agreed_marketo = Document(null=True)
    dynamics_value = Document(null=True)
    marketo_value = Document(null=True)
    winner = models.CharField(max_length=8, default="")
    rule = models.CharField(max_length=30)
    state = models.CharField(max_length=8, default="decided")
    chosen = models.CharField(max_length=8, default="")
    decided_by = models.CharField(max_length=150, default="")
    decided_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    run = models.ForeignKey("store.Run", on_delete=models.SET_NULL, null=True)
    fingerprint = models.CharField(max_length=32, unique=True)

    class Meta:
        # One for each filter of the screen, all in the order of its list.
        indexes = [
            models.Index(fields=["-id"], name="conflict_open", condition=Q(state="open")),
            models.Index(fields=["at", "id"], name="conflict_at"),
            models.Index(fields=["key", "at", "id"], name="conflict_key"),
            models.Index(fields=["winner", "at", "id"], name="conflict_winner"),
            models.Index(fields=["rule", "at", "id"], name="conflict_rule"),
            models.Index(fields=["state", "at", "id"], name="conflict_state"),
            models.Index(fields=["link", "at", "id"], name="conflict_link"),
        ]


class Failure(models.Model):
    """A write or read the other side refused, dropped, or that validation stopped.

    ``subject`` names what it holds back: ``link:12``, ``dynamics:<guid>``, ``marketo:<id>`` or a stream's name.
    ``cause`` is a code of ``engine/failures.py``; ``key`` the field pair, empty for the whole record.
    """

    subject = models.CharField(max_length=60)
    link = models.ForeignKey("store.Link", on_delete=models.CASCADE, null=True)
    side = models.CharField(max_length=8)
    table = models.CharField(max_length=8, default="", db_default="")
    operation = models.CharField(max_length=20)
    key = models.CharField(max_length=220, default="")
    column = models.CharField(max_length=100, default="")
    cause = models.CharField(max_length=40)
    code = models.CharField(max_length=40, default="")
    message = models.TextField(default="")
    value = Document(null=True)
    attempts = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150, default="")
    ignored = models.BooleanField(default=False)
    run = models.ForeignKey("store.Run", on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "side", "key"], condition=Q(closed_at__isnull=True), name="one_open_failure"
            )
        ]
        indexes = [
            # The cards count by it alone, so it carries what they tell.
            models.Index(
                fields=["cause", "id"],
                name="failure_cause",
                include=["key", "side", "ignored", "opened_at"],
                condition=Q(closed_at__isnull=True),
            ),
            models.Index(fields=["cause", "key", "id"], name="failure_key", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["id"], name="failure_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["cause", "id"], name="failure_closed", condition=Q(closed_at__isnull=False)),
            models.Index(fields=["cause", "opened_at"], name="failure_opened"),
            models.Index(fields=["next_try_at"], name="failure_next", condition=Q(closed_at__isnull=True)),
        ]


class Decision(models.Model):
    """Something only a person can settle. ``kind`` and ``facts`` say what; ``choices`` are [code, ...].

    Of one kind and ``shape`` all can be answered together. ``due``: answered, and the next run carries it out; ``note``
    says why an answer could not be carried out, in which case the question is open again.
    """

    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=100)
    link = models.ForeignKey("store.Link", on_delete=models.CASCADE, null=True)
    facts = Document(default=dict)
    choices = Document(default=list)
    shape = models.CharField(max_length=40, default="", db_default="")
    due = models.BooleanField(default=False, db_default=False)
    note = models.TextField(default="", db_default="")
    opened_at = models.DateTimeField()
    answer = Document(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=150, default="")
    run = models.ForeignKey("store.Run", on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(answered_at__isnull=True), name="one_open_decision"
            )
        ]
        indexes = [
            models.Index(fields=["id"], name="decision_open", condition=Q(answered_at__isnull=True)),
            models.Index(fields=["kind", "shape", "id"], name="decision_shape", condition=Q(answered_at__isnull=True)),
            models.Index(fields=["kind", "id"], name="decision_answered", condition=Q(answered_at__isnull=False)),
            models.Index(fields=["id"], name="decision_due", condition=Q(due=True)),
        ]
