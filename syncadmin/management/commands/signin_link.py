"""`manage.py signin_link`: prints a link that signs an administrator in, once, within a quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse

from syncadmin.services import sign_in

WHO = "manage.py signin_link"


class Command(BaseCommand):
    help = "Prints a one-time sign-in link for an administrator; makes the administrator if there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", default="", help="whose link; without it any administrator's")
        parser.add_argument("--address", action="store_true", help="print the whole address, not only its path")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        user = sign_in.first_administrator(options["user"], who=WHO, now=now)
        token = sign_in.token_for(user, who=WHO, now=now, at_once=True)
        start = settings.PUBLIC_URL if options["address"] else ""
        self.stdout.write(start + reverse("sign-in-link", args=[token]))
