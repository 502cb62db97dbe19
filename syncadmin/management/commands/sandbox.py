"""`manage.py sandbox`: serves the stand-ins, loads CSV files into them, and sets the sync up against them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.management import bare
from syncadmin.services import sandbox_setup

_ELSEWHERE = ("serve", "load")


class Command(BaseCommand):
    help = "Serves the sandboxes (serve), loads a CSV file into one (load), or sets the sync up against them (connect)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=[*_ELSEWHERE, "connect"])
        parser.add_argument("--if-new", action="store_true", help="connect: do nothing if the sync was started before")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] in _ELSEWHERE:
            # manage.py runs these two before Django starts, since they need neither settings nor a database.
            raise CommandError("Run it as `manage.py sandbox serve` or `manage.py sandbox load`.")
        if options["if_new"] and sandbox_setup.is_set_up():
            self.stdout.write("The sync has been started before; nothing to do.")
            return
        places = sandbox_setup.Places(bare.address("dynamics"), bare.address("marketo"))
        try:
            pairs = sandbox_setup.set_up(places)
        except sandbox_setup.Trouble as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Both sandboxes are connected; {pairs} field pairs are kept in step.")
