"""The list of people as it is looked through: one narrow row a person, and the words each is found by.

Kept apart from links and mirrors, whose rows are wide and written often. Derived wholly from them
(``store/listing.py``); triggers note in ``Touched`` whom a change concerns.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# Where nothing has happened yet; a date, because a NULL has no place in an index that is walked.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

# How a person may stand, each a column of its own: the database counts how many rows a column holds true.
STATES = (
    "in_step",
    "waiting",
    "failed",
    "conflict",
    "decision",
    "stopped",
    "deleted",
    "only_dynamics",
    "only_marketo",
)


class ListedPerson(models.Model):
    """A link, or a record that has no partner (``link`` is None then, and one of the two ids).

    ``sorted`` is the name in folded form. ``present`` rows are listed where no state is chosen.
    """

    objects: ClassVar[models.Manager[ListedPerson]]
    link = models.BigIntegerField(null=True, unique=True)
    dynamics = models.UUIDField(null=True)
    marketo = models.BigIntegerField(null=True)
    table = models.CharField(max_length=8, default="")
    name = models.CharField(max_length=500, default="")
    email = models.CharField(max_length=320, default="")
    sorted = models.CharField(max_length=200, default="", db_collation="C")
    last_activity_at = models.DateTimeField(default=NEVER)
    present = models.BooleanField(default=True)
    in_step = models.BooleanField(default=False)
    waiting = models.BooleanField(default=False)
    failed = models.BooleanField(default=False)
    conflict = models.BooleanField(default=False)
    decision = models.BooleanField(default=False)
    stopped = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)
    only_dynamics = models.BooleanField(default=False)
    only_marketo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dynamics"], condition=Q(link__isnull=True), name="listed_record_once"),
            models.UniqueConstraint(fields=["marketo"], condition=Q(link__isnull=True), name="listed_person_once"),
        ]
        indexes = [
            models.Index(fields=[order, "id"], condition=Q(**{state: True}), name=f"listed_{state}_{short}")
            for state in ("present", *STATES)
            for order, short in (("sorted", "name"), ("last_activity_at", "time"))
        ]


class ListedWord(models.Model):
    """One folded word by whose beginning a person is found: of the name, or the whole address."""

    pk = models.CompositePrimaryKey("person", "word")
    person = models.BigIntegerField()
    word = models.CharField(max_length=320, db_collation="C")
    sorted = models.CharField(max_length=200, db_collation="C")

    class Meta:
        indexes = [models.Index(fields=["word", "sorted", "person"], name="listed_word")]


class Touched(models.Model):
    """Something changed about these links and records, so their rows of the list are looked at again.

    What one statement changed, up to 500 rows a note. ``size`` is how many rows the note was made of.
    """

    id = models.BigAutoField(primary_key=True)
    links = ArrayField(models.BigIntegerField(), null=True)
    records = ArrayField(models.UUIDField(), null=True)
    people = ArrayField(models.BigIntegerField(), null=True)
    size = models.PositiveIntegerField(default=1, db_default=1)
