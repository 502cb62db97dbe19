"""What others would take for the same people: the usual clients one by one, and a generic loader that only reads.

Their packages are no part of the product. They are looked for in FOLDER/clients; without them the case says how to
get them.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from syncadmin.engine.records import Side
from syncadmin.proof.bench import population
from syncadmin.proof.bench.initial import first_sync
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import Stage, stage

_PROGRAMS = Path(__file__).parent / "clients"
_REQUIREMENTS = "requirements-bench.txt"
# Five calls a second are all the Marketo client asks by itself: a few people show that rate as well as thousands.
_PACED = 20
_SCHEMAS = ("baseline", "baseline_staging")


def baselines(wanted: Options) -> Result:
    """People a second of each, against the same sandboxes; or one sentence on how to install the others."""
    python = wanted.folder / "clients" / "bin" / "python"
    if not python.exists():
        return {"missing": missing(wanted.folder)}
    if wanted.canned:
        raise NotMeasured("this case needs systems that several processes can ask: leave --canned away")
    with stage(wanted) as found:
        told: dict[str, Any] = {"people": wanted.people, "read_and_store": _loaded(found, python)}
        told["sync"] = first_sync(found)
        told["one_by_one"] = _one_by_one(found, python, wanted.people, paced=False)
        told["one_by_one_paced"] = _one_by_one(found, python, min(_PACED, wanted.people), paced=True)
    times = told["sync"]["rate"] / told["one_by_one"]["rate"]
    return {**told, "times_one_by_one": round(times, 1)}


def missing(folder: Path) -> str:
    """How to get the packages that the case compares with."""
    place = folder / "clients"
    return (
        f"The clients to compare with are not installed: run `python3 -m venv {place} && "
        f"{place}/bin/pip install --require-hashes -r {_REQUIREMENTS}`."
    )


def _one_by_one(found: Stage, python: Path, people: int, *, paced: bool) -> dict[str, Any]:
    told = _run(python, "one_by_one.py", {**_addresses(found), "people": people, "paced": paced})
    if told["people"] != people:
        raise NotMeasured(f"{told['people']} of {people} people were done one by one")
    return _rated(told, people)


def _loaded(found: Stage, python: Path) -> dict[str, Any]:
    assert found.served is not None
    people = found.wanted.people
    try:
        with tempfile.TemporaryDirectory() as folder:
            more = {"database": _database(), "folder": folder, "ids": list(found.served.people.values())}
            told = _run(python, "loader.py", {**_addresses(found), **more})
    finally:
        with connection.cursor() as cursor:
            for name in _SCHEMAS:
                cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    if sum(told["rows"].values()) != 2 * people:
        raise NotMeasured(f"not all of {people} people on both sides were stored: {told['rows']}")
    return _rated(told, people)


def _addresses(found: Stage) -> dict[str, Any]:
    assert found.served is not None
    pairs: dict[str, list[list[str]]] = {}
    for pair in population.pairs():
        pairs.setdefault(str(pair.table), []).append([pair.dynamics, pair.marketo])
    return {"dynamics": found.served.urls[Side.DYNAMICS], "marketo": found.served.urls[Side.MARKETO], "pairs": pairs}


def _run(python: Path, program: str, wanted: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603
        [str(python), str(_PROGRAMS / program)], input=json.dumps(wanted), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotMeasured(f"{program} failed: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _rated(told: dict[str, Any], people: int) -> dict[str, Any]:
    seconds = told["seconds"]
    return {**told, "seconds": round(seconds, 3), "cpu": round(told["cpu"], 3), "rate": round(people / seconds, 1)}


def _database() -> str:
    chosen = connection.settings_dict
    who = f"{quote(chosen['USER'])}:{quote(str(chosen['PASSWORD']), safe='')}"
    return f"postgresql://{who}@{chosen['HOST']}:{chosen['PORT']}/{chosen['NAME']}"
