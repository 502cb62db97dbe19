"""`manage.py chaos`: the whole stack under load and attack, then judged from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.proof import arguments
from syncadmin.proof.chaos import report
from syncadmin.proof.chaos.attack import Wanted, attack
from syncadmin.proof.chaos.stack import NotStarted


class Command(BaseCommand):
    help = "Starts everything in a folder of its own, kills and disturbs it under load, and checks what must hold."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=arguments.amount, default=10.0, metavar="M")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="what is done, and in which order")
        parser.add_argument(
            "--rate", type=arguments.amount, default=8.0, metavar="R", help="what people do in a second"
        )
        parser.add_argument("--quick", action="store_true", help="leave out what takes minutes to heal")
        parser.add_argument("--only", default="", metavar="WORD", help="only harms with this in their name")
        parser.add_argument("--folder", type=Path, default=None, help="where the data lies meanwhile")
        parser.add_argument("--json", action="store_true", help="the result as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Wanted(**{name: options[name] for name in ("minutes", "seed", "rate", "quick", "only", "folder")})
        try:
            verdict = attack(wanted, self.stderr.write)
        except NotStarted as why:
            raise CommandError(f"it did not start: {why}") from None
        except KeyboardInterrupt:
            raise CommandError("stopped before its end: nothing was judged", returncode=arguments.STOPPED) from None
        self.stdout.write(json.dumps(verdict.as_json(), indent=1) if options["json"] else report.as_text(verdict))
        if verdict.broken:
            raise CommandError(f"{len(verdict.broken)} things did not hold")
