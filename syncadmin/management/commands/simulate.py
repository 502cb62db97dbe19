"""`manage.py simulate`: random schedules against the real code, checked by an independent oracle."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.proof import report


class Command(BaseCommand):
    help = "Plays random schedules of edits, deletes, merges and faults, and checks what must always be true."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--floor", choices=report.FLOORS, default="stack")
        parser.add_argument("--schedules", type=int, default=100, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first seed; the others follow it")
        parser.add_argument("--json", action="store_true", help="the result as one JSON document")
        parser.add_argument("--trace", action="store_true", help="print what happened in each schedule")
        parser.add_argument("--no-shrink", action="store_true", help="print failing schedules as they were drawn")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = report.Wanted(
            floor=options["floor"],
            schedules=options["schedules"],
            seed=options["seed"],
            trace=options["trace"],
            shrink=not options["no_shrink"],
        )
        try:
            result = report.simulate(wanted, self.stderr.write)
        except report.NotHere as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(report.as_json(result) if options["json"] else report.as_text(result))
        if result.failed:
            raise CommandError(f"{len(result.failed)} of {result.schedules} schedules failed")
