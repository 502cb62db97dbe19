"""The two systems: how they are reached, what their tables look like, and the fields kept in step."""

from __future__ import annotations

from django.db import models

from syncadmin.store.models.document import Document


class Connection(models.Model):
    """One per side. ``config`` holds what is not secret (tenant, client id, token address); ``sealed`` the secret.

    ``account`` and ``user`` are what the system called itself and us at the first sign-in: a connection is never
    pointed at another organisation by mistake.
    """

    side = models.CharField(max_length=8, unique=True)
    base_url = models.URLField(max_length=500)
    config = Document(default=dict)
    sealed = models.TextField()
    account = models.CharField(max_length=100, default="")
    user = models.CharField(max_length=200, default="")
    refused_since = models.DateTimeField(null=True)
    message = models.TextField(default="")
    connected_at = models.DateTimeField()


class TableSchema(models.Model):
    """The last metadata read of one table: a list of columns (engine ``Column`` as JSON) and its digest."""

    table = models.CharField(max_length=8, unique=True)
    columns = Document()
    digest = models.CharField(max_length=32)
    read_at = models.DateTimeField()


class FieldPair(models.Model):
    """A Dynamics column and a Marketo field kept in step. Rows of one ``version`` are a saved set and never change.

    The two kinds are what column and field were when the pair was chosen; empty if that was not known.
    """

    version = models.PositiveIntegerField()
    key = models.CharField(max_length=220)
    table = models.CharField(max_length=8)
    dynamics = models.CharField(max_length=100)
    marketo = models.CharField(max_length=100)
    direction = models.CharField(max_length=12, default="both")
    winner = models.CharField(max_length=8, default="table")
    blanks_travel = models.BooleanField(default=True)
    shorten = models.BooleanField(default=False)
    options = Document(default=dict)
    consent = models.BooleanField(default=False)
    default = models.CharField(max_length=255, default="")
    dynamics_kind = models.CharField(max_length=40, default="")
    marketo_kind = models.CharField(max_length=40, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "table", "dynamics"], name="one_pair_per_column"),
            models.UniqueConstraint(fields=["version", "table", "marketo"], name="one_pair_per_field"),
        ]


class FieldSet(models.Model):
    """Who saved a version of the field pairs, and when; ``source`` is the version that was returned to, if any."""

    version = models.PositiveIntegerField(unique=True)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=150)
    source = models.PositiveIntegerField(null=True)


class FieldDraft(models.Model):
    """An edit of one pair that is not in force yet, over the set in force. ``pair`` is None where it is taken out.

    Shared by all administrators: the last edit of a pair stands, with who made it.
    """

    table = models.CharField(max_length=8)
    dynamics = models.CharField(max_length=100)
    pair = Document(null=True)
    who = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "dynamics"], name="one_draft_per_column")]


class PausedPair(models.Model):
    """A field pair left alone because its column or field disappeared or changed type; heals when it returns.

    ``code`` is gone, retyped or healing (it is back, and links are being made ready); ``facts`` fill the sentence.
    """

    key = models.CharField(max_length=220, unique=True)
    code = models.CharField(max_length=20, default="gone")
    facts = Document(default=dict)
    since = models.DateTimeField()


class Setting(models.Model):
    """One named setting; its default stands in ``store/settings.py``."""

    name = models.CharField(max_length=60, unique=True)
    value = Document(null=True)


class AuditEntry(models.Model):
    """Somebody changed a setting, answered a decision or used an administrator's right."""

    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, default="")
    before = Document(null=True)
    after = Document(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["who", "-id"], name="audit_who"),
            models.Index(fields=["action", "-id"], name="audit_action"),
        ]
