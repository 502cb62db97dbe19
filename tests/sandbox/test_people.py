"""The invented people: the same for a seed, on both sides, and untidy in every promised way."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from syncadmin.sandbox import people
from syncadmin.sandbox.marketo import MarketoSandbox


def emails(rows, field):
    return Counter(row[field].strip().casefold() for row in rows if field in row)


def test_the_same_seed_gives_the_same_people():
    assert people.sample(60, 4) == people.sample(60, 4)
    assert people.sample(60, 4) != people.sample(60, 5)


def test_sixty_people_overlap():
    sides = Counter(person.sides for person in people.sample(60, 1))
    assert sides == {("dynamics", "marketo"): 24, ("dynamics",): 18, ("marketo",): 18}
    kinds = Counter(person.kind for person in people.sample(60, 1))
    assert kinds == {"lead": 36, "contact": 24}


@pytest.mark.parametrize("seed", range(5))
def test_they_are_as_untidy_as_promised(seed):
    found = people.sample(60, seed)
    crm = [person.dynamics for person in found if person.dynamics]
    marketing = [person.marketo for person in found if person.marketo]
    assert max(emails(crm, "emailaddress1").values()) == 2
    assert max(emails(marketing, "email").values()) == 2
    assert any(row.get("email", "") != row.get("email", "").strip() for row in marketing)
    assert any(row.get("emailaddress1", "a").isupper() for row in crm)
    assert any("emailaddress1" not in row for row in crm)
    assert any("email" not in row for row in marketing)
    assert any("lastName" not in row for row in marketing)
    assert any(len(row["title"]) > 100 for row in marketing)
    known = set(people._SOURCES.values())
    assert any(row.get("leadSource", "Web") not in known for row in marketing)
    assert any("🌻" in row["firstName"] for row in marketing)
    assert {True, False} <= {row.get("new_synctomkto") for row in crm}
    assert len({row["country"] for row in marketing}) >= 8
    assert any(not row["lastName"].isascii() for row in marketing if "lastName" in row)


def test_marketo_takes_all_of_them():
    sandbox = MarketoSandbox(clock=lambda: datetime(2026, 3, 4, tzinfo=UTC), seed=1, base_url="http://m")
    rows = people.rows(people.sample(300, 9), "marketo", "person")
    assert len(sandbox.load("person", rows, by="system")) == len(rows) == 210
    assert people.rows(people.sample(10, 9), "dynamics", "contact") == [
        person.dynamics for person in people.sample(10, 9) if person.dynamics and person.kind == "contact"
    ]
