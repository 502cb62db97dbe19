"""How fast it goes."""

from __future__ import annotations

from django.db import models


class Throughput(models.Model):
    """Records written to one side within the ``seconds`` (60 or 3,600) that begin at ``at``. Added to by every run."""

    pk = models.CompositePrimaryKey("seconds", "at", "side")
    seconds = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    side = models.CharField(max_length=8)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
