"""`manage.py sync once`: one pass of the background loop in the foreground."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.services import connect, cycle


class Command(BaseCommand):
    help = "Runs one pass of the sync in the foreground and prints its counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["once"])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ctx = connect.context()
        except (connect.NotConnected, connect.Unopened) as error:
            raise CommandError(str(error)) from None
        run = cycle.once(ctx)
        told = {"run": run.pk, "counts": run.counts, "calls": run.calls}
        told |= {"complaint": run.complaint, "message": run.message}
        self.stdout.write(json.dumps(told, indent=1, sort_keys=True))
