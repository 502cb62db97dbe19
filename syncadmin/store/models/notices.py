"""Telling people outside the dashboard: where to, what stands, and what was sent."""

from __future__ import annotations

from django.db import models

from syncadmin.store.models.document import Document


class Channel(models.Model):
    """A place that is told: ``kind`` is email, json or slack; ``address`` an e-mail address or a URL.

    ``sealed`` holds the value of the secret header a webhook is called with, ``header`` its name.
    """

    kind = models.CharField(max_length=8)
    address = models.CharField(max_length=500)
    header = models.CharField(max_length=60, default="")
    sealed = models.TextField(default="")
    allow_private = models.BooleanField(default=False)
    language = models.CharField(max_length=10, default="en")
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "address"], name="one_channel_per_address")]


class Alarm(models.Model):
    """One thing that may be wrong, and since when it is; ``facts`` fill its sentence as of the last change of state."""

    code = models.CharField(max_length=40, unique=True)
    facts = Document(default=dict)
    since = models.DateTimeField()


class Delivery(models.Model):
    """One message to one channel. ``state`` is bad, healed or test.

    It is sent once ``sent_at`` is set; without that and without ``next_try_at`` it was given up, for ``error``.
    """

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE)
    alarm = models.CharField(max_length=40)
    state = models.CharField(max_length=8)
    facts = Document(default=dict)
    made_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = Document(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], name="delivery_due", condition=models.Q(next_try_at__isnull=False)),
            models.Index(fields=["channel", "-id"], name="delivery_channel"),
        ]
