"""Ways in that are not a password, and passwords that did not fit."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SignInLink(models.Model):
    """A link that signs somebody in, once and before ``good_until``. Only the hash of its token is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    good_until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SignInTry(models.Model):
    """A password that was tried and did not fit, or is being tried. ``name`` is the hash of what was typed.

    Kept for minutes only; a hash, since people type passwords into the wrong box.
    """

    name = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("address", "at")),)
