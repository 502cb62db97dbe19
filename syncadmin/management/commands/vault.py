"""`manage.py vault`: a new key for VAULT_KEYS, and sealing everything with the newest one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.services import connect
from syncadmin.store import vault


class Command(BaseCommand):
    help = "Makes a key for VAULT_KEYS (new-key), or seals all secrets with the newest key (rotate)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["new-key", "rotate"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "new-key":
            self.stdout.write(vault.new_key())
            return
        try:
            number = vault.rotate()
        except connect.Unopened as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{number} secrets are sealed with the newest key; older keys may go from VAULT_KEYS.")
