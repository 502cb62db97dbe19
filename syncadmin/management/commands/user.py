"""`manage.py user`: who may use the dashboard, and as what."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.services import accounts
from syncadmin.services.roles import LastAdministrator, Role

WHO = "manage.py user"


class Command(BaseCommand):
    help = "Lists the dashboard's users; makes one, changes a role, or closes an account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="the user's name; without it all are listed")
        parser.add_argument("--role", choices=[str(role) for role in Role], help="what the user may do")
        parser.add_argument("--password", action="store_true", help="ask for a new password")
        parser.add_argument("--close", action="store_true", help="shut the user out")

    def handle(self, *args: Any, name: str, role: str | None, password: bool, close: bool, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            if not name:
                self._list()
            elif close:
                accounts.close(name, who=WHO, now=now)
                self.stdout.write(f"{name} can no longer sign in.")
            elif role:
                made = accounts.put(name, Role(role), self._ask() if password else None, who=WHO, now=now)
                self.stdout.write(f"{name} {'was made' if made else 'is now'} {role}.")
                if made and not password:
                    self.stdout.write("Without a password nobody can sign in as this user: say --password as well.")
            elif password:
                accounts.change_password(name, self._ask(), who=WHO, now=now)
                self.stdout.write(f"{name} has a new password.")
            else:
                raise CommandError(
                    "Say --role viewer, operator or administrator, --password to set a new one, or --close."
                )
        except User.DoesNotExist:
            raise CommandError(f"There is no user called {name}.") from None
        except LastAdministrator as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None

    def _list(self) -> None:
        for name, role, is_open in accounts.everybody():
            self.stdout.write(f"{name}  {role or 'no role'}{'' if is_open else '  (closed)'}")

    def _ask(self) -> str:
        first = getpass.getpass("New password: ")
        if first != getpass.getpass("Once more: "):
            raise CommandError("The two passwords differ; nothing was changed.")
        return first
