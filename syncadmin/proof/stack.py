"""The stack floor: the real services, connectors and SQL, both sandboxes, one thread."""

from __future__ import annotations

from syncadmin.proof import database
from syncadmin.proof.drive import Drive, Outcome
from syncadmin.proof.events import Schedule
from syncadmin.proof.shrink import shrink


def play(wanted: Schedule) -> Outcome:
    """One schedule, from an emptied database."""
    sessions = database.Sessions()
    try:
        return Drive(wanted, sessions).play()
    finally:
        sessions.close()


def shortest(failed: Outcome) -> Outcome:
    """The same failure with as few events as can be found."""
    number = _numbers(failed)
    found = shrink(failed.schedule, lambda tried: bool(_numbers(play(tried)) & number))
    return play(found)


def _numbers(outcome: Outcome) -> set[str]:
    return {text.partition(":")[0] for text in outcome.broken}
