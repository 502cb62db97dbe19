"""`manage.py bench`: how fast the sync is, case by case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.collector import spare_batches
from syncadmin.proof import arguments, report
from syncadmin.proof.bench.cases import CASES, KEPT, NAMED, SERVED_ONLY
from syncadmin.proof.bench.options import NotMeasured, Options

_EVERY = {**CASES, **NAMED}


class Command(BaseCommand):
    help = "Measures named cases against a database that may be emptied; figures are medians."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(_EVERY)}")
        parser.add_argument("--people", type=arguments.count, default=5_000, metavar="N")
        parser.add_argument(
            "--changes", type=arguments.count, default=Options().changes, metavar="N", help="of an incremental run"
        )
        parser.add_argument(
            "--repeat", type=arguments.count, default=1, metavar="N", help="how often; the median is told"
        )
        parser.add_argument("--workers", type=arguments.count, default=1, metavar="N")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--canned", action="store_true", help="answer reads from pages rendered beforehand")
        parser.add_argument("--limits", action="store_true", help="with the vendors' limits, and ours")
        parser.add_argument(
            "--folder", type=Path, default=Options().folder, help="where seed and pages keep their database"
        )
        parser.add_argument(
            "--requests", type=arguments.count, default=Options().requests, metavar="N", help="for each of the pages"
        )
        parser.add_argument("--json", action="store_true", help="the result as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        cases = options["case"] or list(CASES)
        _refuse(cases, canned=options["canned"])
        names = ("people", "changes", "repeat", "workers", "seed", "canned", "limits", "folder", "requests")
        wanted = Options(**{name: options[name] for name in names}, tell=self.stderr.write)
        told: dict[str, dict[str, Any]] = {}
        # As each worker does when it starts.
        spare_batches()
        try:
            if set(cases) - KEPT.keys():
                report.make_room()
            for name in cases:
                told[name] = _EVERY[name](wanted)
        except report.NotHere as refusal:
            raise CommandError(str(refusal)) from None
        except NotMeasured as refusal:
            raise CommandError(f"{name}: {refusal}") from None
        except KeyboardInterrupt:
            raise CommandError("stopped before its end", returncode=arguments.STOPPED) from None
        finally:
            # What was measured by then is told, whatever became of the rest.
            if told:
                self.stdout.write(json.dumps(told, indent=1, default=str) if options["json"] else as_text(told))


def _refuse(cases: list[str], *, canned: bool) -> None:
    """Before anything is measured."""
    unknown = sorted(set(cases) - _EVERY.keys())
    if unknown:
        raise CommandError(f"There is no case called {', '.join(unknown)}; there are: {', '.join(_EVERY)}")
    unfit = [name for name in cases if name in SERVED_ONLY]
    if canned and unfit:
        raise CommandError(
            f"leave --canned away: no other process reaches what was rendered, as those of {', '.join(unfit)} must"
        )


def as_text(told: dict[str, dict[str, Any]]) -> str:
    """One line a case."""
    return "\n".join(
        f"{name}: " + ", ".join(f"{figure} {value}" for figure, value in found.items()) for name, found in told.items()
    )
