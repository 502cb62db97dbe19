"""A series of schedules played by several processes, each with a database of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
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
        players = [_started(begin, play, seeds[place::jobs], name) for place, name in enumerate(names)]
        try:
            for number in range(len(seeds)):
                yield _heard(players[number % jobs][1])
        finally:
            for process, _ in players:
                process.terminate()
                process.join()


def _started(
    begin: Callable[[], object] | None, play: Callable[[int], T], seeds: Sequence[int], name: str
) -> tuple[BaseProcess, Pipe]:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_player, args=(begin, play, seeds, name, there), daemon=True)
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


def _player(
    begin: Callable[[], object] | None, play: Callable[[int], T], seeds: Sequence[int], name: str, told: Pipe
) -> None:
    # Ctrl-C reaches every process of the terminal; the one that counts ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if begin is not None:
            database.move_to(name)
            begin()
        for seed in seeds:
            told.send(play(seed))
    except Exception as error:  # noqa: BLE001 - it is raised where somebody reads it
        told.send(error)
