from __future__ import annotations

import string
from datetime import timedelta

import pytest

from syncadmin.engine.failures import Cause, HealsBy, describe, retry_after


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_cause_and_a_remedy_with_known_placeholders(cause):
    found = describe(cause)
    assert found.cause_text.endswith((".", "}"))
    assert len(found.remedy) > 20
    names = {name for _, name, _, _ in string.Formatter().parse(found.cause_text + found.remedy) if name}
    assert names <= {"field", "value", "limit", "message"}
    assert found.transient == (found.heals_by is HealsBy.TIME)


def test_an_unknown_code_is_refused():
    with pytest.raises(ValueError, match="no such"):
        describe("no such")


def test_pauses_grow_to_four_hours():
    assert [retry_after(n) for n in (0, 1, 2, 3, 4, 5, 99)] == [
        timedelta(minutes=m) for m in (1, 1, 5, 15, 60, 240, 240)
    ]
