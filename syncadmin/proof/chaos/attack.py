"""One attack from start to verdict: the stack starts, is worked on and harmed, is left alone, and is judged."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from syncadmin.proof.chaos import harm, judge
from syncadmin.proof.chaos.desk import OURS, Desk
from syncadmin.proof.chaos.harm import Attack, Harm
from syncadmin.proof.chaos.load import Load, Pair
from syncadmin.proof.chaos.stack import NotStarted, Stack
from syncadmin.proof.chaos.watch import Watch, wait_for

# "Other work resumes within 10 seconds of a kill."
RESUME_LIMIT = 10.0
_SETTLED_LIMIT = 180.0
# A write without an answer is left alone for two minutes, then read again; receipts settle a minute after the last.
_QUIET_LIMIT, _QUIET_WITHOUT_CALLS = 420.0, 120.0
_RUN_LIMIT = 60.0
_SIDES = ("dynamics", "marketo")
_WAYS = ("a", "b", "c", "d", "e")
# From the runs: a receipt that was settled without its line is settled again when the line comes after all.
_SETTLED = """
    SELECT key AS way, sum(value::int)::int AS number FROM store_run, jsonb_each_text(counts)
    WHERE key LIKE 'receipts\\__' GROUP BY 1
"""
_OPEN = """
    SELECT (SELECT count(*) FROM store_link WHERE dirty)
         + (SELECT count(*) FROM store_pendingwrite)
         + (SELECT count(*) FROM store_dynamicsrecord WHERE due IN ('look_up', 'pair'))
         + (SELECT count(*) FROM store_syncrequest WHERE status IN ('received', 'queued'))
         + (SELECT count(*) FROM store_checkpoint WHERE position->>'state' IN ('reading', 'tail', 'sweep')) AS number
"""
_UNSETTLED = "SELECT count(*) FROM store_receipt WHERE how = ''"
# The sandbox's sync waits ten seconds between runs; here a pause shall be one that the attack made.
_HURRY = """
    INSERT INTO store_setting (name, value) VALUES ('wait', '1'), ('longest_wait', '1')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``quick`` leaves out what takes minutes to heal: the two minutes of a write to Marketo without an answer.

    ``only`` is a word that the name of every harm done must have.
    """

    minutes: float
    seed: int
    rate: float = 8.0
    quick: bool = False
    only: str = ""
    folder: Path | None = None


@dataclass
class Verdict:
    """Times are seconds. ``receipts`` counts by ``engine.receipts.Settled``; ``broken`` is empty if all held."""

    seed: int
    seconds: float = 0.0
    quiet_after: float = 0.0
    harms: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    takeovers: int = 0
    longest_resume: float = 0.0
    longest_pause: dict[str, float] = field(default_factory=dict)
    edits: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    receipts: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def attack(wanted: Wanted, tell: Callable[[str], Any]) -> Verdict:
    """Starts a stack of its own in an empty folder and removes it afterwards. Raises ``NotStarted``."""
    if not _all_harms(wanted):
        raise NotStarted(f"no harm has {wanted.only!r} in its name{' and heals quickly' if wanted.quick else ''}")
    _make(wanted.folder)
    verdict, started = Verdict(wanted.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="syncadmin-chaos-", dir=wanted.folder) as folder:
        # PostgreSQL may run as another account, which must be able to pass through.
        Path(folder).chmod(0o711)
        with _running(Path(folder) / "data") as (stack, desk):
            _settle(stack)
            one = _prepared(stack, desk, wanted)
            one.watch.start()
            one.load.start()
            _harm(one, wanted, tell)
            one.load.end()
            tell("everybody goes home")
            _calm(one, wanted, verdict)
            one.watch.end()
            _fill(verdict, one)
    verdict.seconds = time.monotonic() - started
    return verdict


def _make(folder: Path | None) -> None:
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryDirectory(dir=folder).cleanup()
    except OSError as error:
        raise NotStarted(f"the folder cannot be used ({error})") from None


def _all_harms(wanted: Wanted) -> list[Harm]:
    known = [each for each in (*harm.STEPS, *harm.SCENES, *harm.RANDOM) if wanted.only in each.name]
    return [each for each in known if not (wanted.quick and each.leaves_a_call)]


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Stack, Desk]]:
    stack = Stack(folder)
    try:
        stack.start()
        desk = Desk(stack.dynamics, stack.marketo)
        yield stack, desk
        desk.close()
    finally:
        stack.stop()


def _settle(stack: Stack) -> None:
    stack.ask(_HURRY)
    if not wait_for(lambda: stack.one(_OPEN) == 0 and stack.one("SELECT count(*) FROM store_link") > 0, _SETTLED_LIMIT):
        raise NotStarted("the first sync did not come to its end")


def _prepared(stack: Stack, desk: Desk, wanted: Wanted) -> Attack:
    linked = stack.ask("""
        SELECT "table", dynamics::text, marketo::text FROM store_link
        WHERE dynamics IS NOT NULL AND marketo IS NOT NULL AND NOT stopped ORDER BY id
    """)
    pairs = [Pair(row["table"], row["dynamics"], row["marketo"]) for row in linked]
    load = Load(desk, pairs, wanted.seed, wanted.rate)
    return Attack(stack, desk, load, Watch(stack), random.Random(wanted.seed))


def _harm(one: Attack, wanted: Wanted, tell: Callable[[str], Any]) -> None:
    """Every step and every scene once, in an order of the seed; then whatever the seed says until the time is over."""
    until = time.monotonic() + wanted.minutes * 60
    all_harms = _all_harms(wanted)
    waiting: list[Harm] = []
    while time.monotonic() < until:
        if not waiting:
            waiting = one.chance.sample(all_harms, len(all_harms))
        each = waiting.pop()
        tell(f"{until - time.monotonic():5.0f} s left: {each.name}")
        harm.do(each, one, RESUME_LIMIT * 2)
        time.sleep(one.chance.uniform(0.5, 3.0))


def _calm(one: Attack, wanted: Wanted, verdict: Verdict) -> None:
    """Waits until nothing is open and a whole run wrote nothing; the runs after that must not write either."""
    one.desk.no_trouble()
    begun = time.monotonic()
    limit = _QUIET_WITHOUT_CALLS if wanted.quick else _QUIET_LIMIT
    if not wait_for(lambda: _at_rest(one, wanted), limit):
        verdict.broken.append(
            f"1: after {limit:.0f} s of quiet {one.stack.one(_OPEN)} things are open or still written"
        )
    verdict.quiet_after = time.monotonic() - begun
    before = {side: len(one.desk.truth(side)) for side in _SIDES}
    _let_runs_pass(one.stack, 3)
    for side in _SIDES:
        for late in one.desk.truth(side)[before[side] :]:
            if late.who == OURS:
                what = f"{late.action} {late.entity} {late.record} {late.field}: {late.old!r} -> {late.new!r}"
                verdict.broken.append(f"2: a run after the calm wrote to {side}: {what}")


def _at_rest(one: Attack, wanted: Wanted) -> bool:
    before = _written(one.desk)
    _let_runs_pass(one.stack, 1)
    settled = time.monotonic() > one.told_by and (wanted.quick or one.stack.one(_UNSETTLED) == 0)
    return settled and one.stack.one(_OPEN) == 0 and _written(one.desk) == before


def _let_runs_pass(stack: Stack, number: int) -> None:
    """Returns when so many runs have begun and ended from now on."""
    now = stack.one("SELECT coalesce(max(id), 0) FROM store_run")
    done = "SELECT count(*) FROM store_run WHERE id > %s AND finished_at IS NOT NULL"
    wait_for(lambda: stack.one(done, now) >= number, _RUN_LIMIT * number)


def _written(desk: Desk) -> dict[str, int]:
    return {side: sum(one.who == OURS for one in desk.truth(side)) for side in _SIDES}


def _fill(verdict: Verdict, one: Attack) -> None:
    scene = judge.look(one.stack, one.desk)
    verdict.broken += judge.judge(scene)
    verdict.broken += [f"resume: nobody worked within {RESUME_LIMIT:.0f} s of: {name}" for name in one.never_resumed]
    verdict.broken += [
        f"resume: somebody worked again only {late:.1f} s after: {name}"
        for name, late in one.resumed
        if late > RESUME_LIMIT
    ]
    if one.load.trouble:
        verdict.broken.append(f"load: {one.load.trouble}")
    verdict.harms, verdict.missed, verdict.kills = dict(one.done), dict(one.missed), dict(one.kills)
    verdict.takeovers, verdict.longest_pause = one.watch.takeovers, one.watch.pauses
    verdict.longest_resume = max((after for _, after in one.resumed), default=0.0)
    verdict.edits, verdict.writes = dict(one.load.deeds), _written(one.desk)
    verdict.repeated = _repeated(scene)
    ways = {row["way"]: row["number"] for row in one.stack.ask(_SETTLED)}
    verdict.receipts = {way: ways.get(f"receipts_{way}", 0) for way in _WAYS}
    rules = one.stack.ask("SELECT rule, count(*) AS number FROM store_conflict GROUP BY 1")
    verdict.conflicts = {row["rule"]: row["number"] for row in rules}


def _repeated(scene: judge.Scene) -> int:
    """Writes of ours that changed nothing: sent again after an answer was lost."""
    logs = (one for log in scene.truth.values() for one in log)
    return sum(one.who == OURS and one.action == "update" and (one.field is None or one.old == one.new) for one in logs)
