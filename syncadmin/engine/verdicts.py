"""The words of the merge: what goes in, what comes out, and the four ways to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from syncadmin.engine.fields import Bound, Unconvertible, outgoing
from syncadmin.engine.records import Comparable, Raw, Side
from syncadmin.engine.schema import Problem


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides last agreed on, each in its own comparable form; ``n`` counts agreements of this pair."""

    d: Comparable
    m: Comparable
    n: int = 1


@dataclass(frozen=True, slots=True)
class OpenReceipt:
    """An unconfirmed write to Marketo. ``line``: a change line says that someone set the value shown since.

    ``earlier`` are values that unconfirmed writes before this one replaced: they may still be shown as well.
    """

    replaced: Comparable
    sent: Comparable
    line: bool = False
    earlier: tuple[Comparable, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldState:
    """Everything known about one field of one link.

    A side that is not ``known`` is absent from the mirror and left alone. ``blocked`` holds, per side, a value (as
    sent) that this side refused or dropped. ``hold`` is a value of ``Held``. ``choice`` names the side whose value a
    person chose, for exactly these two values. ``late`` are values that calls of ours put into Marketo after others had
    taken them over, while nobody knows yet what they replaced.
    """

    bound: Bound
    agreed: Agreed | None
    d: Raw
    m: Raw
    d_known: bool = True
    m_known: bool = True
    receipt: OpenReceipt | None = None
    blocked: Mapping[Side, Comparable] = field(default_factory=dict)
    hold: str = ""
    choice: Side | None = None
    late: tuple[Comparable, ...] = ()


class FirstContact(StrEnum):
    """How existing differences are settled: by the collision rule, Dynamics wins, or only blanks are filled."""

    RULE = "rule"
    DYNAMICS = "dynamics"
    BLANKS = "blanks"


class Verdict(StrEnum):
    NOTHING = "nothing"
    AGREE = "agree"
    WRITE = "write"
    HELD = "held"
    FAILED = "failed"


class Rule(StrEnum):
    """Why a value won."""

    ONE_SIDED = "one_sided"
    ONE_WAY = "one_way"
    COLLISION_LEAD = "collision_lead"
    COLLISION_CONTACT = "collision_contact"
    COLLISION_FIELD = "collision_field"
    BLANK = "blank"
    FIRST_FILL = "first_fill"
    FIRST_RULE = "first_rule"
    FIRST_DYNAMICS = "first_dynamics"
    FIRST_BLANKS = "first_blanks"
    CONSENT = "consent"
    CHOSEN = "chosen"
    OVERTAKEN = "overtaken"


class Held(StrEnum):
    """Why a difference is kept as it is."""

    DIRECTION = "direction"
    BLANK = "blank"
    ASK = "ask"
    FAILURE = "failure"
    RECEIPT = "receipt"
    PAUSED = "paused"
    FIRST_BLANKS = "first_blanks"
    COMPANY = "company"
    TWO_AUTOMATIONS = "two_automations"
    SHARED_COLUMN = "shared_column"


@dataclass(frozen=True, slots=True)
class Collision:
    """Both sides changed one field to different values; ``winner`` is None while a person has to decide."""

    agreed_d: Comparable
    agreed_m: Comparable
    d: Comparable
    m: Comparable
    winner: Side | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class FieldResult:
    """The verdict on one field.

    WRITE fills ``to``, ``raw``, ``sent``, ``source`` and ``replaced``; its ``agreed`` holds once the other side said
    yes. ``agreed`` of AGREE holds now. ``held`` may stand beside AGREE and NOTHING, where the two sides differ.
    """

    key: str
    verdict: Verdict
    rule: Rule | None = None
    to: Side | None = None
    raw: Raw = None
    sent: Comparable = None
    source: Comparable = None
    replaced: Comparable = None
    agreed: Agreed | None = None
    collision: Collision | None = None
    held: Held | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The two current values, raw and in comparable form."""

    d_raw: Raw
    d: Comparable
    m_raw: Raw
    m: Comparable

    def value(self, side: Side) -> Comparable:
        return self.d if side is Side.DYNAMICS else self.m

    def blank(self, side: Side) -> bool:
        """Empty, or a null that stands for false in Dynamics."""
        return self.value(side) is None or (side is Side.DYNAMICS and self.d_raw is None)


def agree(bound: Bound, sides: Sides, before: Agreed | None) -> FieldResult:
    agreed = Agreed(sides.d, sides.m, before.n + 1 if before else 1)
    return FieldResult(bound.pair.key, Verdict.AGREE, agreed=agreed)


def held(bound: Bound, why: Held) -> FieldResult:
    return FieldResult(bound.pair.key, Verdict.HELD, held=why)


def write(
    bound: Bound, sides: Sides, to: Side, rule: Rule, before: Agreed | None, collision: Collision | None = None
) -> FieldResult:
    """Send the other side's value to ``to``; a failure, with agreed as it was, if it cannot be sent."""
    source = sides.value(to.other)
    spelt = sides.m_raw if to is Side.DYNAMICS else sides.d_raw
    try:
        out = outgoing(bound, to, source, spelt)
    except Unconvertible as error:
        problem = _as_spelt(error.problem(bound.target(to).name), spelt)
        return FieldResult(bound.pair.key, Verdict.FAILED, rule, to=to, source=source, problem=problem)
    n = before.n + 1 if before else 1
    agreed = Agreed(source, out.comparable, n) if to is Side.MARKETO else Agreed(out.comparable, source, n)
    return FieldResult(
        bound.pair.key, Verdict.WRITE, rule, to, out.raw, out.comparable, source, sides.value(to), agreed, collision
    )


def _as_spelt(problem: Problem, spelt: Raw) -> Problem:
    """People look for the value as they typed it, not in its folded form."""
    typed = isinstance(spelt, str) and spelt.strip().casefold() == problem.detail.casefold()
    return replace(problem, detail=str(spelt).strip()) if typed else problem
