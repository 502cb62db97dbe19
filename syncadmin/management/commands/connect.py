"""`manage.py connect`: points the sync at real systems, a step at a time. Secrets come by environment or prompt."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.services import real_setup
from syncadmin.services.real_setup import Address

WHO = "manage.py connect"
_MARKS = {True: "ok  ", False: "FAIL", None: "?   "}


class Command(BaseCommand):
    help = "Connects Dynamics and Marketo, prepares both, and starts the sync: four steps, in this order."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        dynamics = steps.add_parser("dynamics", help="check and save the connection to Dynamics")
        _add_address(dynamics, "https://contoso.crm4.dynamics.com")
        dynamics.add_argument("--tenant", required=True, help="directory (tenant) id")
        dynamics.add_argument("--authority", default=real_setup.PUBLIC_CLOUD, help="sign-in host of another cloud")
        marketo = steps.add_parser("marketo", help="check and save the connection to Marketo")
        _add_address(marketo, "https://123-ABC-456.mktorest.com, or only the Munchkin id")
        marketo.add_argument("--identity-url", default="", help="where signing in happens, if on another host")
        steps.add_parser("prepare", help="make our fields in Marketo, read both schemas, choose the default fields")
        steps.add_parser("start", help="let the loop run")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['step']}")(options)
        except real_setup.Trouble as error:
            raise CommandError(str(error)) from None

    def _dynamics(self, options: dict[str, Any]) -> None:
        secret = _secret("DYNAMICS_CLIENT_SECRET")
        where = _address(options)
        self._told(real_setup.dynamics(where, options["tenant"], options["authority"], secret, who=WHO))

    def _marketo(self, options: dict[str, Any]) -> None:
        secret = _secret("MARKETO_CLIENT_SECRET")
        self._told(real_setup.marketo(_address(options), options["identity_url"], secret, who=WHO))

    def _told(self, connected: real_setup.Connected) -> None:
        for check in connected.checks:
            self.stdout.write(f"{_MARKS[check.ok]}  {check.name}{': ' * bool(check.text)}{check.text}")
            if check.ok is False and check.remedy:
                self.stdout.write(f"      {check.advice}")
        if connected.identity is None:
            raise CommandError("Nothing was saved; see above.")
        self.stdout.write(f"Saved. We are {connected.identity.user} in {connected.identity.account}.")

    def _prepare(self, options: dict[str, Any]) -> None:
        done = real_setup.prepare(who=WHO, now=datetime.now(UTC))
        for name, why in done.equipped.missing:
            self.stdout.write(f"FAIL  {name} could not be made in Marketo: {why}")
        chosen = "Chosen now" if done.chosen_now else "Chosen before"
        counts = ", ".join(f"{number} for {table}s" for table, number in done.pairs.items())
        self.stdout.write(f"{chosen}: field pairs, {counts}.")
        if done.equipped.missing:
            raise CommandError("Make what is missing in Marketo by hand, or grant the right, and run this step again.")

    def _start(self, options: dict[str, Any]) -> None:
        real_setup.start(who=WHO, now=datetime.now(UTC))
        self.stdout.write("The loop may run. Watch the Overview, or run a pass here: manage.py sync once")


def _add_address(parser: CommandParser, example: str) -> None:
    parser.add_argument("--url", required=True, help=example)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--allow-private", action="store_true", help="the address lies inside a private network")


def _address(options: dict[str, Any]) -> Address:
    return Address(options["url"], options["client_id"], options["allow_private"])


def _secret(variable: str) -> str:
    """Never an argument: those stand in the list of processes and in the shell's history."""
    secret = os.environ.get(variable, "") or getpass(f"Client secret ({variable} is not set): ")
    if not secret.strip():
        raise CommandError(f"No secret was given: set {variable}, or type it when asked.")
    return secret.strip()
