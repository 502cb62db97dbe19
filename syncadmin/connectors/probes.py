"""Named checks made one after the other: a screen shows each as it finishes, a command all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from syncadmin.connectors import addresses
from syncadmin.connectors.contract import Check, Probe
from syncadmin.connectors.errors import (
    ConnectorError,
    DeadlineOver,
    Malformed,
    NoAnswer,
    Refused,
    Throttled,
    TooLarge,
    Unavailable,
    Unreachable,
)
from syncadmin.connectors.messages import Answer

LATER = "Not checked: a check before it comes first."
# Nothing is wrong with the connection as far as one can tell.
PASSING = (Throttled, Unavailable, DeadlineOver)
_SENTENCES: tuple[tuple[type[ConnectorError], str], ...] = (
    (Unreachable, "There is no connection to this address."),
    (NoAnswer, "The server did not answer in time."),
    (Malformed, "Something else answers at this address: what came back cannot be read."),
    (TooLarge, "The answer is too large."),
    (Throttled, "The server asks for patience: it is used too much at the moment."),
    (Unavailable, "The server cannot serve at the moment."),
    (DeadlineOver, "There was no time left to check this."),
)
WRONG_SERVER = "The server at this address does not know the interface we speak."
PRIVATE = "This address lies inside a private network."
AT_A_TERMINAL = (
    "Check the address. If it is meant, connect it at this server's terminal: manage.py connect with --allow-private "
    "(docs/setup.md, At a terminal). In the browser it stays refused."
)
AGAIN = "Try again in a minute."
TIME = "Time difference"
# Windows of times that a system noted overlap by two minutes, and whose a change line is, is told to the minute.
LARGEST_DIFFERENCE = 60.0
SAID_SECONDS, NO_TIME = "%(seconds)s seconds", "No time was told."
SET_CLOCK = "Set this server's clock by a time service."
SENTENCES = (
    *(LATER, WRONG_SERVER, AGAIN, PRIVATE, AT_A_TERMINAL, TIME, SAID_SECONDS, NO_TIME, SET_CLOCK),
    *(sentence for _, sentence in _SENTENCES),
)


def told(error: ConnectorError) -> tuple[str, str]:
    """A sentence for a person, and the words of the system or the network behind it."""
    if isinstance(error, Refused) and error.code in ("404", "405", "301", "302", "303", "307", "308", "410"):
        return WRONG_SERVER, error.message
    if is_inside(error):
        return PRIVATE, error.message
    sentence = next((sentence for kind, sentence in _SENTENCES if isinstance(error, kind)), "")
    return (sentence, error.message) if sentence else (error.message, "")


def is_inside(error: ConnectorError) -> bool:
    """Whether the address was refused for lying inside a private network."""
    return isinstance(error, Refused) and error.code == addresses.INSIDE


def mending(error: ConnectorError, usual: str) -> str:
    """What to do about an address that cannot be called, ``usual`` unless it may only be allowed at a terminal."""
    return AT_A_TERMINAL if is_inside(error) else usual


def patience(error: ConnectorError, usual: str) -> str:
    """What to do about a call that failed: nothing but wait where the server is busy, else the ``usual``."""
    return AGAIN if isinstance(error, (Throttled, Unavailable)) else usual


def follow(probes: Sequence[Probe], done: Sequence[Check]) -> Check | None:
    """The result of the check after those that are done; None when all are."""
    if len(done) >= len(probes):
        return None
    probe = probes[len(done)]
    gates = {each.name for each in probes if each.gate}
    if any(check.name in gates and check.ok is not True for check in done):
        return Check(probe.name, None, LATER)
    try:
        found = probe.run()
    except ConnectorError as error:
        message, detail = told(error)
        return Check(probe.name, None, message, AGAIN, detail=detail, needed=probe.gate)
    return replace(found, needed=True) if probe.gate else found


def all_of(probes: Sequence[Probe]) -> list[Check]:
    """Every check in order."""
    done: list[Check] = []
    while (found := follow(probes, done)) is not None:
        done.append(found)
    return done


def time_difference(answer: Answer, now: datetime) -> Check:
    """The server's clock against ours, from the Date header; unknown where it tells none."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return Check(TIME, None, NO_TIME)
    seconds = abs((there - now).total_seconds()) if there.tzinfo else 0.0
    facts = {"seconds": f"{seconds:.0f}"}
    if seconds <= LARGEST_DIFFERENCE:
        return Check(TIME, True, SAID_SECONDS, facts=facts)
    return Check(TIME, False, SAID_SECONDS, SET_CLOCK, facts=facts)
