"""What is done to the stack: kills at every numbered step of a batch and at random, stops, storms, lost servers."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psycopg

from syncadmin.proof.chaos.desk import Desk
from syncadmin.proof.chaos.load import DROPPED, FIELDS, Load
from syncadmin.proof.chaos.stack import Stack
from syncadmin.proof.chaos.watch import Watch, wait_for

# A lease is 8 seconds; a worker that wakes after it must find that what it held is no longer its own.
_LONGER_THAN_A_LEASE = 12.0
_STEP_LIMIT = 25.0
_BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
_SLOW = 4.0
_LATE = 100


@dataclass
class Attack:
    """The stack, those who work on it meanwhile, and the tally of what was done."""

    stack: Stack
    desk: Desk
    load: Load
    watch: Watch
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    # What was done, and how many seconds later somebody worked again.
    resumed: list[tuple[str, float]] = field(default_factory=list)
    never_resumed: list[str] = field(default_factory=list)
    # When the last line of Marketo's feed that was held back is told (monotonic).
    told_by: float = 0.0

    def kill(self, name: str, pids: list[int]) -> float:
        """``kill -9``; when it was done (monotonic)."""
        self.kills[name] += self.stack.send(pids, signal.SIGKILL)
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Harm:
    """``deed`` answers when it killed (monotonic), or None if nothing is to be waited for.

    ``leaves_a_call`` names those after which something is settled a minute or two later: a write to Marketo, its feed.
    """

    name: str
    deed: Callable[[Attack], float | None]
    leaves_a_call: bool = False


def do(harm: Harm, attack: Attack, limit: float) -> None:
    """Does it, and measures how long it takes until somebody works again."""
    missed = attack.missed.total()
    killed = harm.deed(attack)
    if attack.missed.total() > missed:
        return
    attack.done[harm.name] += 1
    if killed is None:
        return
    after = attack.watch.until_moved(killed, limit)
    if after is None:
        attack.never_resumed.append(harm.name)
    else:
        attack.resumed.append((harm.name, after))


# --- at a numbered step of a batch ----------------------------------------------------------------------------------


def _while_storing(table: str, attack: Attack) -> float | None:
    """Waits until the worker stands before a statement that writes to the table, and kills it there.

    The statement goes on when the table is free again, and finds nobody who hears its answer.
    """
    try:
        with attack.stack.held(table):
            if not wait_for(lambda: attack.stack.one(_BLOCKED, table) > 0, _STEP_LIMIT, 0.05):
                attack.missed[f"storing {table}"] += 1
                return None
            return attack.kill("worker", attack.stack.family("worker"))
    except psycopg.OperationalError:
        attack.missed[f"storing {table}"] += 1
        return None


def _while_calling(side: str, method: str, path: str, attack: Attack) -> float | None:
    """Kills the worker while the other side works on its call; the call is then carried out nevertheless."""
    attack.desk.no_trouble()
    attack.desk.trouble(side, "slow", method=method, path=path, value=_SLOW)
    # The order is used up the moment such a call comes in.
    if not wait_for(lambda: attack.desk.waiting(side) == 0, _STEP_LIMIT, 0.05):
        attack.missed[f"calling {side} {path}"] += 1
        attack.desk.no_trouble()
        return None
    time.sleep(attack.chance.uniform(0.2, 0.8) * _SLOW)
    return attack.kill("worker", attack.stack.family("worker"))


# A batch from its first read to its last line. Reads, then rows, then cursor; decision; claim; call; outcome; log.
STEPS = (
    Harm("1 reading Dynamics", partial(_while_calling, "dynamics", "GET", "*deltatoken*")),
    Harm("2 reading Marketo", partial(_while_calling, "marketo", "GET", "*activities*")),
    Harm("3 storing records", partial(_while_storing, "store_dynamicsrecord")),
    Harm("4 storing people", partial(_while_storing, "store_marketoperson")),
    Harm("5 moving a cursor", partial(_while_storing, "store_checkpoint")),
    Harm("6 storing links", partial(_while_storing, "store_link")),
    Harm("7 storing writes, claiming them", partial(_while_storing, "store_pendingwrite")),
    Harm("8 writing to Dynamics", partial(_while_calling, "dynamics", "POST", "*batch*")),
    Harm("9 writing to Marketo", partial(_while_calling, "marketo", "POST", "*leads.json*"), leaves_a_call=True),
    Harm("10 storing receipts", partial(_while_storing, "store_receipt"), leaves_a_call=True),
    Harm("11 storing history", partial(_while_storing, "store_activity"), leaves_a_call=True),
    Harm("12 storing conflicts", partial(_while_storing, "store_conflict")),
    Harm("13 writing activity log entries", partial(_while_calling, "marketo", "POST", "*external*")),
    Harm("14 closing the run", partial(_while_storing, "store_run"), leaves_a_call=True),
)


# --- at any moment --------------------------------------------------------------------------------------------------


def _kill(name: str, attack: Attack) -> float | None:
    family = attack.stack.family(name)
    return attack.kill(name, family) if family else None


def _kill_one_process(attack: Attack) -> float | None:
    """One of the worker's own processes; its parent starts another."""
    family = attack.stack.family("worker")
    return attack.kill("worker process", [attack.chance.choice(family[1:])]) if len(family) > 1 else None


def _freeze(attack: Attack) -> float | None:
    """Stopped in the middle for longer than its lease; another takes over, and then it wakes."""
    family = attack.stack.family("worker")
    attack.stack.send(family, signal.SIGSTOP)
    time.sleep(_LONGER_THAN_A_LEASE)
    attack.stack.send(family, signal.SIGCONT)
    return None


def _freeze_one(attack: Attack) -> float | None:
    family = attack.stack.family("worker")[1:]
    frozen = [attack.chance.choice(family)] if family else []
    attack.stack.send(frozen, signal.SIGSTOP)
    time.sleep(_LONGER_THAN_A_LEASE)
    attack.stack.send(frozen, signal.SIGCONT)
    return None


def _restart_database(number: signal.Signals, attack: Attack) -> float | None:
    """SIGINT rolls back and closes; SIGQUIT is a crash that replays its log."""
    first = attack.stack.pid("postgres")
    attack.stack.send([first] if first else [], number)
    return time.monotonic()


def _empty_broker(attack: Attack) -> float | None:
    attack.stack.empty_broker()
    return time.monotonic()


def _storm(side: str, kind: str, attack: Attack) -> float | None:
    value = {"rate_limit": 2, "unavailable": None, "concurrency": 1}.get(kind)
    more = {} if value is None else {"value": value}
    attack.desk.trouble(side, kind, times=15, probability=0.6, **more)
    time.sleep(5)
    return None


def _applied_then_silent(side: str, path: str, attack: Attack) -> float | None:
    attack.desk.trouble(side, "timeout_after", method="POST", path=path)
    time.sleep(4)
    return None


def _expired_delta(attack: Attack) -> float | None:
    attack.desk.control("dynamics", "expire_delta_tokens", {})
    return None


# --- what a write to Marketo may meet (`engine.receipts.Settled`) -----------------------------------------------------


def _overtaken(attack: Attack) -> float | None:
    """Somebody edits the very field between our last look and our write."""
    for _ in range(3):
        pair, column = attack.load.somebody(), attack.chance.choice(tuple(FIELDS)[:4])
        rival = {"entity": "person", "id": pair.person, "changes": {FIELDS[column]: attack.load.token()}}
        attack.desk.edit(pair.table, pair.record, {column: attack.load.token()})
        attack.desk.trouble("marketo", "rival", method="POST", path="*leads.json*", value=rival)
        time.sleep(3)
    return None


def _silent_feed(attack: Attack) -> float | None:
    """Change lines come after nobody waits for them any more; one value is changed again meanwhile."""
    attack.desk.trouble("marketo", "late_events", times=60, value=_LATE)
    attack.told_by = time.monotonic() + _LATE
    for again in (False, True, True):
        pair = attack.load.somebody()
        token = attack.load.token()
        attack.desk.edit(pair.table, pair.record, {DROPPED: token})
        if again and wait_for(partial(_stands, attack, pair.person, token), 20):
            attack.desk.edit("person", pair.person, {FIELDS[DROPPED]: attack.load.token()})
    return None


def _stands(attack: Attack, person: str, value: str) -> bool:
    row = attack.desk.row(person)
    return row is not None and row.get(FIELDS[DROPPED]) == value


def _dropped(attack: Attack) -> float | None:
    """Marketo answers that it wrote, and did not: updates of the field are blocked."""
    field_name = FIELDS[DROPPED]
    pair = attack.load.somebody()
    # Only a filled field can be blocked: Marketo lets anybody fill an empty one.
    attack.desk.edit("person", pair.person, {field_name: attack.load.token()})
    time.sleep(6)
    attack.desk.control("marketo", "block", {"field": field_name, "source": "Web service API"})
    attack.desk.edit(pair.table, pair.record, {DROPPED: attack.load.token()})
    time.sleep(12)
    attack.desk.control("marketo", "unblock", {"field": field_name})
    return None


def _poison(attack: Attack) -> float | None:
    """A value nobody can send: it fails alone."""
    pair = attack.load.somebody()
    attack.desk.edit("person", pair.person, {"leadSource": attack.load.token()})
    return None


SCENES = (
    Harm("somebody overtakes a write", _overtaken),
    Harm("Marketo drops a write", _dropped, leaves_a_call=True),
    Harm("Marketo's feed is late", _silent_feed, leaves_a_call=True),
    Harm("a value that cannot be sent", _poison),
)
RANDOM = (
    Harm("worker killed", partial(_kill, "worker"), leaves_a_call=True),
    Harm("beat killed", partial(_kill, "beat")),
    Harm("web killed", partial(_kill, "web")),
    Harm("one worker process killed", _kill_one_process, leaves_a_call=True),
    Harm("worker stopped for longer than a lease", _freeze, leaves_a_call=True),
    Harm("one worker process stopped for longer than a lease", _freeze_one, leaves_a_call=True),
    Harm("PostgreSQL restarted", partial(_restart_database, signal.SIGINT), leaves_a_call=True),
    Harm("PostgreSQL crashed", partial(_restart_database, signal.SIGQUIT), leaves_a_call=True),
    Harm("broker killed and emptied", _empty_broker),
    Harm("storm of 429", partial(_storm, "dynamics", "rate_limit")),
    Harm("storm of 606", partial(_storm, "marketo", "rate_limit")),
    Harm("storm of 615", partial(_storm, "marketo", "concurrency")),
    Harm("storm of 503", partial(_storm, "dynamics", "unavailable")),
    Harm("Dynamics applied and did not answer", partial(_applied_then_silent, "dynamics", "*")),
    Harm("Marketo applied and did not answer", partial(_applied_then_silent, "marketo", "*leads.json*"), True),
    Harm("delta tokens expired", _expired_delta),
)
