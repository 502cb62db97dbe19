"""`manage.py fields`: the field pairs in force as JSON, and putting another set in force: what the screens do, for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncadmin.engine.defaults import CONSENT
from syncadmin.engine.fields import Direction, FieldPair, Winner, pair_key
from syncadmin.engine.records import Table
from syncadmin.services import connect, offered_fields, setup
from syncadmin.store import fieldsets, options

WHO = "manage.py fields"
# What a pair is called and whether it is paused follows from the rest.
_DERIVED = ("key", "paused")
_KNOWN = {field.name: field.default for field in fields(FieldPair) if field.name not in _DERIVED}
_WORDS: Mapping[str, type] = {"table": Table, "direction": Direction, "winner": Winner}
_TYPES: Mapping[str, type] = {"blanks_travel": bool, "shorten": bool, "consent": bool, "options": dict}


class Command(BaseCommand):
    help = "Prints the field pairs in force as JSON, or puts those of a file in force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="JSON as this command prints it; - is standard input")
        parser.add_argument("--suggested", action="store_true", help="print the default pairs instead")
        parser.add_argument("--offered", action="store_true", help="list fields that can be created in Marketo")
        parser.add_argument(
            "--create", nargs="+", metavar="NAME", help="create these in Marketo, for ever, and pair them"
        )

    def handle(self, *args: Any, **options_: Any) -> None:
        try:
            if options_["offered"]:
                self._offer()
                return
            if options_["create"]:
                version = offered_fields.make(connect.context(), options_["create"], who=WHO)
                self.stdout.write(f"Created and paired; version {version} is in force.")
                return
            if options_["file"]:
                self._save(options_["file"])
                return
            pairs = setup.suggested() if options_["suggested"] else fieldsets.pairs(options.read().field_version)
        except (setup.NoMetadata, setup.WrongPairs, offered_fields.NotMade, connect.NotConnected) as error:
            raise CommandError(f"Nothing was saved. {error}") from None
        rows = [{name: value for name, value in asdict(pair).items() if name in _KNOWN} for pair in pairs]
        self.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False))

    def _offer(self) -> None:
        for field in offered_fields.offered():
            pair = field.pair
            self.stdout.write(f"{field.name}  {field.label} ({field.kind})  {pair.table}.{pair.dynamics}")

    def _save(self, name: str) -> None:
        try:
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
            rows = json.loads(text)
        except (OSError, ValueError) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        if not isinstance(rows, list) or not rows:
            raise CommandError("The file holds no list of pairs.")
        pairs = [_pair(place, row) for place, row in enumerate(rows, 1)]
        version = setup.save_fields(pairs, who=WHO, now=datetime.now(UTC))
        self.stdout.write(f"{len(pairs)} field pairs are in force as version {version}.")


def _pair(place: int, row: Any) -> FieldPair:
    if not isinstance(row, dict) or not {"table", "dynamics", "marketo"} <= set(row):
        raise CommandError(f"Pair {place} needs table, dynamics and marketo.")
    unknown = sorted(set(row) - set(_KNOWN))
    if unknown:
        raise CommandError(f"Pair {place} has {', '.join(unknown)}, which no pair has.")
    values = {name: _value(place, name, value) for name, value in row.items()}
    values.setdefault("consent", values["dynamics"] in CONSENT)
    return FieldPair(pair_key(values["table"], values["dynamics"], values["marketo"]), **values)


def _value(place: int, name: str, value: Any) -> Any:
    wanted = _TYPES.get(name, str)
    if not isinstance(value, wanted):
        raise CommandError(f"Pair {place}: {name} is not {value!r}.")
    try:
        return _WORDS[name](value) if name in _WORDS else value
    except ValueError:
        allowed = ", ".join(str(word) for word in list(_WORDS[name]))  # type: ignore[call-overload]
        raise CommandError(f"Pair {place}: {name} is one of {allowed}, not {value!r}.") from None
