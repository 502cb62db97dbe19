"""`manage.py simulate`: random schedules against the real code, checked by an independent oracle."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.collector import spare_batches
from syncadmin.proof import abreast, arguments, planted, report
from syncadmin.proof.world import prepare

_SCHEDULES = 100


class Command(BaseCommand):
    help = "Plays random schedules of edits, deletes, merges and faults, and checks what must always be true."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--floor", choices=report.FLOORS, help="stack unless said otherwise; with --planted: both")
        parser.add_argument(
            "--planted", action="store_true", help="plant the known bugs one by one, and catch every one of them"
        )
        parser.add_argument(
            "--schedules", type=arguments.count, default=None, metavar="N", help=f"{_SCHEDULES} unless said otherwise"
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=None,
            metavar="S",
            help="the first seed (1, or the one known to show a planted bug)",
        )
        parser.add_argument(
            "--jobs",
            type=arguments.count,
            default=None,
            metavar="N",
            help="so many processes, each with a database of its own (1)",
        )
        parser.add_argument("--json", action="store_true", help="the result as one JSON document")
        parser.add_argument("--trace", action="store_true", help="print what happened in each schedule")
        parser.add_argument("--no-shrink", action="store_true", help="print failing schedules as they were drawn")

    def handle(self, *args: Any, **options: Any) -> None:
        # Else a tenth of the time goes there.
        spare_batches(100_000)
        try:
            self._planted(options) if options["planted"] else self._simulate(options)
        except KeyboardInterrupt:
            raise CommandError("stopped before its end", returncode=arguments.STOPPED) from None
        except (report.NotHere, planted.NoneHere, abreast.PlayerLost) as refusal:
            raise CommandError(str(refusal)) from None

    def _planted(self, options: dict[str, Any]) -> None:
        for name in ("schedules", "trace", "no_shrink", "jobs"):
            if options[name]:
                raise CommandError(f"--{name.replace('_', '-')} means nothing with --planted")
        wanted = planted.bugs(options["floor"] or "")
        if any(bug.floor == "stack" for bug in wanted):
            report.make_room()
            prepare()
        catches = []
        for catch in planted.hunt(wanted, options["seed"]):
            catches.append(catch)
            if not options["json"]:
                self.stdout.write(planted.as_text(catch))
        if options["json"]:
            self.stdout.write(planted.as_json(catches))
        survived = [catch.bug.name for catch in catches if not catch.caught]
        if survived:
            raise CommandError(f"{len(survived)} of {len(catches)} planted bugs survived")

    def _simulate(self, options: dict[str, Any]) -> None:
        wanted = report.Wanted(
            floor=options["floor"] or "stack",
            schedules=options["schedules"] or _SCHEDULES,
            seed=1 if options["seed"] is None else options["seed"],
            trace=options["trace"],
            shrink=not options["no_shrink"],
            jobs=options["jobs"] or 1,
        )
        result = report.simulate(wanted, self.stderr.write)
        self.stdout.write(report.as_json(result) if options["json"] else report.as_text(result))
        if result.failed:
            raise CommandError(f"{len(result.failed)} of {result.schedules} schedules failed")
        if result.schedules < wanted.schedules:
            begin = wanted.seed + result.schedules
            raise CommandError(f"stopped; go on with --seed {begin}", returncode=arguments.STOPPED)
