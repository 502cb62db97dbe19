"""The mirrors: our stored copy of each record's selected fields, as last seen."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncadmin.store.models.document import Document


class Due(models.TextChoices):
    """What pairing still has to do with a record that has no partner."""

    NOTHING = "", "nothing"
    LOOK_UP = "look_up", "to be looked up in Marketo"
    PAIR = "pair", "to be paired"
    WAITING = "waiting", "waiting for another record with the same e-mail"
    DECISION = "decision", "needs a decision"


class Mirror(models.Model):
    """What both mirrors share. ``hash`` is the MD5 of the values a read answered; ``email`` is folded.

    ``seen_at`` is when the read *began*: of two reads that overlap, the one begun later knows all the other knows.
    """

    values = Document(default=dict)
    hash = models.CharField(max_length=32, default="")
    email = models.CharField(max_length=320, default="")
    name = models.CharField(max_length=500, default="")
    due = models.CharField(max_length=8, default="", choices=Due)
    lane = models.CharField(max_length=8, default="live")
    seen_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class DynamicsRecord(Mirror):
    """A lead or contact. A record that the filter excludes keeps id, version and ``filtered`` only.

    ``wait_for`` names why a record without partner waits; ``full_read`` is the last full read that saw it. ``merged_into``
    is the record's own id where the one it was merged into is gone.
    """

    table = models.CharField(max_length=8)
    guid = models.UUIDField(unique=True)
    version = models.CharField(max_length=60, default="")
    modified_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    qualified = models.BooleanField(default=False)
    disqualified = models.BooleanField(default=False)
    filtered = models.BooleanField(default=False)
    merged_into = models.UUIDField(null=True)
    originating_lead = models.UUIDField(null=True)
    parent_contact = models.UUIDField(null=True)
    wait_for = models.TextField(default="")
    full_read = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["email"], name="dynamics_email", condition=~Q(email="")),
            models.Index(fields=["lane", "id"], name="dynamics_due", condition=Q(due__in=["look_up", "pair"])),
            models.Index(fields=["email"], name="dynamics_waiting", condition=Q(due__in=["waiting", "decision"])),
            models.Index(
                fields=["originating_lead"], name="dynamics_origin", condition=Q(originating_lead__isnull=False)
            ),
            models.Index(fields=["parent_contact"], name="dynamics_parent", condition=Q(parent_contact__isnull=False)),
            models.Index(fields=["table", "full_read"], name="dynamics_full_read"),
            models.Index(fields=["merged_into"], name="dynamics_merged", condition=Q(merged_into__isnull=False)),
        ]


class MarketoPerson(Mirror):
    """A person. ``dynamics_guid`` is what our field in Marketo says; ``company_linked`` that a company record owns
    the company-class fields."""

    person = models.BigIntegerField(unique=True)
    dynamics_guid = models.UUIDField(null=True)
    company_linked = models.BooleanField(default=False)
    merged_into = models.BigIntegerField(null=True)
    unanswered = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["email"], name="marketo_email", condition=~Q(email="")),
            models.Index(fields=["dynamics_guid"], name="marketo_guid", condition=Q(dynamics_guid__isnull=False)),
        ]


class Link(models.Model):
    """A Dynamics record and a Marketo person that are the same human.

    While a create is under way one side is still empty. ``agreed`` maps pair key to [Dynamics value, Marketo value,
    count], values in comparable form. ``held`` maps pair key (or ``*dynamics``/``*marketo`` for the whole record) to
    why a change stays where it is. ``written`` maps pair key to our writes of the last hour, [[time, side, value]].
    """

    table = models.CharField(max_length=8, default="")
    dynamics = models.UUIDField(null=True, unique=True)
    marketo = models.BigIntegerField(null=True, unique=True)
    name = models.CharField(max_length=500, default="")
    email = models.CharField(max_length=320, default="")
    agreed = Document(default=dict)
    held = Document(default=dict)
    written = Document(default=dict)
    dirty = models.BooleanField(default=False)
    lane = models.CharField(max_length=8, default="live")
    stopped = models.BooleanField(default=False)
    dynamics_deleted = models.BooleanField(default=False)
    marketo_deleted = models.BooleanField(default=False)
    last_activity_at = models.DateTimeField(null=True)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(dynamics__isnull=False) | Q(marketo__isnull=False), name="link_names_a_record"
            )
        ]
        indexes = [models.Index(fields=["lane", "id"], name="link_dirty", condition=Q(dirty=True))]
