"""The two sandboxes as processes of their own, as they stand beside the sync in a rehearsal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from syncadmin.embedded.process import dies_with_us
from syncadmin.engine.records import Side, Table
from syncadmin.proof.bench.meter import cpu_of
from syncadmin.proof.bench.options import NotMeasured
from syncadmin.proof.bench.population import Human

_LOAD = 2_000
_START_SECONDS = 30
# Whose records were all edited a minute before the first sync would be read twice, as nobody's are.
_AGE = 30


class Served:
    """Both sandboxes, in memory only. ``people`` names each loaded person's ids: (GUID, Marketo id) by number."""

    def __init__(self, *, limits: bool) -> None:
        self.urls: dict[Side, str] = {}
        self._children: list[subprocess.Popen[bytes]] = []
        self.people: dict[int, str] = {}
        self._marks: dict[Side, int] = {}
        for side in Side:
            self._start(side, limits)

    def _start(self, side: Side, limits: bool) -> None:
        port = _free_port()
        command = [sys.executable, "-m", "syncadmin.sandbox", "--side", str(side), "--port", str(port)]
        # In a session of its own, so that Ctrl-C reaches us first; and it ends with us, however we end.
        command = [*dies_with_us(signal.SIGTERM), *command, *(["--limits"] if limits else [])]
        self._children.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        )
        self.urls[side] = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise NotMeasured(f"the {side} sandbox did not start")

    def expect(self) -> None:
        """Raises ``NotMeasured`` if one of the two has ended. Asked over the network: a forked worker has no children."""
        for side, url in self.urls.items():
            try:
                socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10).close()
            except OSError:
                raise NotMeasured(f"the {side} sandbox has ended") from None

    def cpu(self) -> float:
        """CPU seconds both have used."""
        return sum(cpu_of(child.pid) or 0.0 for child in self._children)

    def refused(self) -> Counter[str]:
        """Calls refused so far, by side and code."""
        found: Counter[str] = Counter()
        for side in Side:
            with urllib.request.urlopen(f"{self.urls[side]}/_sandbox/limits", timeout=60) as answer:  # noqa: S310
                found.update({f"{side} {code}": number for code, number in json.load(answer)["refused"].items()})
        return found

    def load(self, people: Iterable[Human]) -> None:
        """Puts everybody into both systems."""
        rest = iter(people)
        while chunk := list(islice(rest, _LOAD)):
            for table in (Table.LEAD, Table.CONTACT):
                rows = [{f"{table}id": one.guid, **one.dynamics} for one in chunk if one.table is table]
                told = self.order(Side.DYNAMICS, "load", {"entity": table, "rows": rows, "days_ago": _AGE})
                if told["refused"]:
                    raise NotMeasured(f"Dynamics' sandbox refused: {told['refused'][:3]}")
            rows = [one.marketo for one in chunk]
            told = self.order(Side.MARKETO, "load", {"entity": "person", "rows": rows, "days_ago": _AGE})
            self.people.update(zip((one.number for one in chunk), map(str, told["ids"]), strict=True))

    def order(self, side: Side, verb: str, body: Any) -> Any:
        """One of the sandbox's own addresses."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.urls[side]}/_sandbox/{verb}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise NotMeasured(f"the {side} sandbox refused {verb}: {error.read()[:500]!r}") from error

    def truth(self, side: Side) -> list[dict[str, Any]]:
        """Entries of a side's truth log not answered before."""
        address = f"{self.urls[side]}/_sandbox/truth?since={self._marks.get(side, 0)}"
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
            found = [json.loads(line) for line in answer.read().splitlines() if line.strip()]
        if found:
            self._marks[side] = found[-1]["id"]
        return found

    def close(self) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
