"""The engine floor's own world: what it once got wrong itself, and that its short form holds."""

from __future__ import annotations

import pytest

from syncadmin.proof import engine_floor

# Seeds whose schedules once failed because the modelled world, unlike the loop, took a later write of ours for an
# earlier one: a rival's value, overwritten unseen, was then told by no history.
OVERWRITTEN_UNTOLD = (109_368, 114_094, 115_705, 117_560)


@pytest.mark.parametrize("seed", OVERWRITTEN_UNTOLD)
def test_a_colleagues_value_overwritten_by_a_write_whose_line_is_late_is_still_told(seed):
    assert engine_floor.play(seed).broken == []
