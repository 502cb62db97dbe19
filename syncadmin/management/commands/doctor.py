"""`manage.py doctor`: asks both systems the named checks of the setup wizard and prints what to do about red ones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncadmin.services import connect, doctor

_MARKS = {True: "ok  ", False: "FAIL", None: "?   "}


class Command(BaseCommand):
    help = "Checks both connections and prints what to do about anything that is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = doctor.examine(connect.context())
        except (connect.NotConnected, connect.Unopened) as error:
            raise CommandError(str(error)) from None
        for side, checks in found.items():
            for check in checks:
                self.stdout.write(f"{side}  {_MARKS[check.ok]}  {check.name}{': ' * bool(check.text)}{check.text}")
                if check.ok is False and check.remedy:
                    self.stdout.write(f"      {check.advice}")
        if any(check.ok is False for checks in found.values() for check in checks):
            raise CommandError("Something is wrong; see above.")
