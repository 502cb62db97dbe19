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
            return {"id": record, "dynPersonGuid": "another"}


class Watched:
    """A clean run has begun at the minute given, if any."""

    def __init__(self, minute=None):
        self.begun = None if minute is None else BEGUN + timedelta(minutes=minute)

    def has_read(self, since, until):
        return self.begun is not None and since <= self.begun < until


def line(number, who, record, action, field=None, old=None, new=None, entity="person"):
    return Truth(number, BEGUN + timedelta(minutes=number), who, entity, record, action, field, old, new)


def born(number, who, record, email="anna@sim.example", guid=None):
    return line(number, who, record, "create", new={"middleName": "tag1", "email": email, "dynPersonGuid": guid})


def doubles(*log, dynamics=(), witness=None):
    return list(losses._doubles(Everybody, {"dynamics": list(dynamics), "marketo": list(log)}, witness or Watched()))


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


def test_a_contact_whose_lead_was_deleted_is_a_stranger_only_if_nobody_could_read_what_it_was():
    people = born(1, OURS, "1", None, guid="lead"), born(8, OURS, "2", None, guid="contact")
    lineage = (
        line(3, "person", "contact", "create", "originatingleadid", None, "lead", entity="contact"),
        line(5, "system", "contact", "update", "originatingleadid", "lead", None, entity="contact"),
    )
    assert doubles(*people, dynamics=lineage) == []
    assert len(doubles(*people, dynamics=lineage, witness=Watched(4))) == 1
    assert len(doubles(*people, dynamics=lineage[:1])) == 1
    found_by_address = born(1, OURS, "1", guid="lead"), born(8, OURS, "2", guid="contact")
    assert len(doubles(*found_by_address, dynamics=lineage)) == 1


def test_a_restored_record_whose_person_another_one_took_may_have_a_new_person():
    people = born(1, OURS, "1", guid="record"), born(8, OURS, "2", guid="record")
    gone = line(4, "person", "record", "delete", entity="lead")
    assert doubles(*people, dynamics=[gone]) == []
    assert len(doubles(*people)) == 1
    assert len(doubles(*people, dynamics=[line(9, "person", "record", "delete", entity="lead")])) == 1
