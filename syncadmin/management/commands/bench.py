"""`manage.py bench`: how fast the sync is, case by case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.proof import report
from syncadmin.proof.bench.cases import CASES, KEPT, NAMED
from syncadmin.proof.bench.options import Options

_EVERY = {**CASES, **NAMED}


class Command(BaseCommand):
    help = "Measures named cases against a database that may be emptied; figures are medians."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(_EVERY)}")
        parser.add_argument("--people", type=int, default=5_000, metavar="N")
        parser.add_argument("--changes", type=int, default=Options().changes, metavar="N", help="of an incremental run")
        parser.add_argument("--repeat", type=int, default=1, metavar="N", help="how often; the median is told")
        parser.add_argument("--workers", type=int, default=1, metavar="N")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--canned", action="store_true", help="answer reads from pages rendered beforehand")
        parser.add_argument("--limits", action="store_true", help="with the vendors' limits, and ours")
        parser.add_argument(
            "--folder", type=Path, default=Options().folder, help="where seed and pages keep their database"
        )
        parser.add_argument(
            "--requests", type=int, default=Options().requests, metavar="N", help="for each of the pages"
        )
        parser.add_argument("--json", action="store_true", help="the result as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(options["case"]) - _EVERY.keys())
        if unknown:
            raise CommandError(f"There is no case called {', '.join(unknown)}; there are: {', '.join(_EVERY)}")
        names = ("people", "changes", "repeat", "workers", "seed", "canned", "limits", "folder", "requests")
        wanted = Options(**{name: options[name] for name in names}, tell=self.stderr.write)
        try:
            if set(options["case"]) - KEPT.keys() or not options["case"]:
                report.make_room()
        except report.NotHere as refusal:
            raise CommandError(str(refusal)) from None
        told = {name: _EVERY[name](wanted) for name in options["case"] or CASES}
        self.stdout.write(json.dumps(told, indent=1, default=str) if options["json"] else as_text(told))


def as_text(told: dict[str, dict[str, Any]]) -> str:
    """One line a case."""
    return "\n".join(
        f"{name}: " + ", ".join(f"{figure} {value}" for figure, value in found.items()) for name, found in told.items()
    )
