"""The closed list of what a line of a person's history can say; the screens hold a sentence for each."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Activity kinds. ``details`` keys stand behind each."""

    LINKED = "linked"  # how
    CREATED = "created"  # table, id: a record was created on ``side`` by us
    UPDATED = "updated"  # changes: what we wrote to ``side``
    SEEN = "seen"  # a new record was read and has no partner yet
    OVERTAKEN = "overtaken"  # changes: a receipt showed that our write replaced somebody's value
    SUPERSEDED = "superseded"  # changes: what was to be written, or was held, changed again on ``side``
    AGREED = "agreed"  # changes: both sides came to the same value by themselves
    HELD = "held"  # key, reason: a change stays where it is
    CONFLICT = "conflict"  # key, winner, rule
    FAILED = "failed"  # cause, key, message
    MENDED = "mended"  # cause, key: a failure closed
    DROPPED = "dropped"  # key: Marketo did not keep what we wrote
    FILTER_STARTED = "filter_started"
    FILTER_STOPPED = "filter_stopped"
    DELETED = "deleted"  # the record is gone on ``side``
    RESTORED = "restored"
    MERGED = "merged"  # into: records or people were merged on ``side``
    QUALIFIED = "qualified"  # lead, contact
    DECIDED = "decided"  # kind, answer
    DECISION = "decision"  # kind: a decision was opened
    REQUESTED = "requested"  # Sync Person: source, status, message
    ERASED = "erased"
