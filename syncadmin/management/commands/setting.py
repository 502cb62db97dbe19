"""`manage.py setting`: shows how the sync is set to behave, and changes it until a screen does."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.services import setup
from syncadmin.store import options as stored

WHO = "manage.py setting"


class Command(BaseCommand):
    help = "Lists all settings of the sync, or shows or changes one. Changes are in the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("value", nargs="?", help="true, false, a number or a text")

    def handle(self, *args: Any, **options: Any) -> None:
        name, value = options["name"], options["value"]
        now = dataclasses.asdict(stored.read())
        if name and name not in now:
            raise CommandError(f"There is no setting called {name}.")
        if value is not None:
            now[name] = self._change(name, value, now[name])
        for each in [name] if name else now:
            self.stdout.write(f"{each} = {json.dumps(now[each])}")

    def _change(self, name: str, value: str, before: Any) -> Any:
        wanted = value if isinstance(before, str) else _number_or_truth(value)
        try:
            setup.change(name, wanted, who=WHO, now=datetime.now(UTC))
        except setup.WrongSetting as error:
            raise CommandError(str(error)) from None
        return wanted


def _number_or_truth(value: str) -> Any:
    try:
        return json.loads(value.lower())
    except json.JSONDecodeError:
        return value
