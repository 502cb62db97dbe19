"""A series of schedules played by several processes, each with a database of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from syncadmin.proof import database

T = TypeVar("T")


class PlayerLost(Exception):
    """One of the processes ended before its schedules did."""


def played(
    begin: Callable[[], object] | None, play: Callable[[int], T], seeds: range, jobs: int
) -> Generator[T, None, None]:
    """``play`` of every seed, in their order, by so many processes that take them in turn.

    Each calls ``begin`` once before, in a database that is its own and removed at the end; without ``begin`` it is
    given none. Raises ``PlayerLost``.
    """
    names = [database.name_of(place) for place in range(jobs)] if begin else [""] * jobs
    with database.made(names) if begin else nullcontext():
        players: list[tuple[BaseProcess, Pipe]] = []
        for place, name in enumerate(names):
            part = _Part(begin, play, seeds[place::jobs], name)
            players.append(_started(part, [pipe for _, pipe in players]))
        try:
            for number in range(len(seeds)):
                yield _heard(players[number % jobs][1])
        finally:
            for process, _ in players:
                process.terminate()
                process.join()


@dataclass(frozen=True, slots=True)
class _Part:
    """What one process plays."""

    begin: Callable[[], object] | None
    play: Callable[[int], object]
    seeds: Sequence[int]
    database: str


def _started(part: _Part, earlier: Sequence[Pipe]) -> tuple[BaseProcess, Pipe]:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_player, args=(part, there, [*earlier, here]), daemon=True)
    process.start()
    # Only the child holds the other end now, so its death is heard.
    there.close()
    return process, here


def _heard(pipe: Pipe) -> Any:
    try:
        said = pipe.recv()
    except EOFError:
        raise PlayerLost("a process that played schedules has ended before them") from None
    if isinstance(said, Exception):
        raise said
    return said


def _player(part: _Part, told: Pipe, inherited: Sequence[Pipe]) -> None:
    # Only the parent reads, so its death is heard too: else a player would wait for ever for somebody to read on.
    for pipe in inherited:
        pipe.close()
    # Ctrl-C reaches every process of the terminal; the one that counts ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if part.begin is not None:
            database.move_to(part.database)
            part.begin()
        for seed in part.seeds:
            told.send(part.play(seed))
    except BrokenPipeError:
        return
    except Exception as error:  # noqa: BLE001 - it is raised where somebody reads it
        told.send(error)
