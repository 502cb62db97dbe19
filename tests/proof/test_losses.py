"""The judge's own questions, asked of truth logs written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncadmin.proof import losses
from syncadmin.proof.losses import OURS
from syncadmin.sandbox.truth import Truth

BEGUN = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Everybody:
    """A world in which whoever was made is still there."""

    class marketo:
        @staticmethod
        def get(entity, record):
            return {"id": record}


def line(number, who, record, action, field=None, old=None, new=None):
    return Truth(number, BEGUN + timedelta(minutes=number), who, "person", record, action, field, old, new)


def born(number, who, record, email="anna@sim.example"):
    return line(number, who, record, "create", new={"middleName": "tag1", "email": email})


def doubles(*log):
    return list(losses._doubles(Everybody, {"dynamics": [], "marketo": list(log)}))


def test_whom_we_made_twice_is_there_twice():
    (told,) = doubles(born(1, OURS, "1"), born(2, OURS, "2", "other@sim.example"))
    assert told.startswith("6: tag1 exists 2 times in marketo")


def test_whom_we_made_beside_somebody_with_that_address_is_there_twice():
    (told,) = doubles(born(1, "person", "1"), born(2, OURS, "2", " Anna@sim.example"))
    assert told.startswith("6: tag1 exists 2 times in marketo")


def test_nobody_is_accused_of_what_could_not_be_known():
    moved = line(2, "campaign", "1", "update", "email", "anna@sim.example", "b@sim.example")
    assert doubles(born(1, "person", "1"), moved, born(3, OURS, "2")) == []
    assert doubles(born(1, "person", "1", None), born(2, OURS, "2")) == []
    assert doubles(born(1, OURS, "1"), born(2, "person", "2")) == []
    assert doubles(born(1, "person", "1"), born(2, "person", "2")) == []
