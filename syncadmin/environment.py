"""Reads settings from environment variables; a value that is not right ends the start with one sentence."""

from __future__ import annotations

import base64
import binascii
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

YES = frozenset({"true", "yes", "on", "1"})
NO = frozenset({"false", "no", "off", "0"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingError(ValueError):
    """A setting is missing or wrong; the message is one sentence for the person who starts the program."""


@contextmanager
def stop_on_bad_setting() -> Iterator[None]:
    """Turns a SettingError into one line on standard error and exit code 2."""
    try:
        yield
    except SettingError as error:
        sys.stderr.write(f"syncadmin: {error}\n")
        raise SystemExit(2) from None


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables a process was started with. An empty variable counts as absent."""

    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, name: str, default: str = "") -> str:
        return self.variables.get(name, "").strip() or default

    def required(self, name: str, remedy: str) -> str:
        value = self.text(name)
        if not value:
            raise SettingError(f"{name} is not set: {remedy}.")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value not in YES | NO:
            raise SettingError(f"{name} must be True or False, not {value!r}.")
        return value in YES

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise SettingError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
        return int(value)

    def words(self, name: str) -> list[str]:
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        return value

    def secret(self, name: str, remedy: str, least: int) -> str:
        value = self.required(name, remedy)
        if len(value) < least:
            raise SettingError(f"{name} has {len(value)} characters, it needs {least} or more: {remedy}.")
        return value

    def url(self, name: str, schemes: tuple[str, ...], remedy: str, default: str = "") -> SplitResult:
        """The parts of an address. A wrong one is never quoted in the error, since it may hold a password."""
        value = self.required(name, remedy) if not default else self.text(name, default)
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise SettingError(f"{name} is not an address that can be read: {remedy}.") from None
        if parts.scheme not in schemes:
            raise SettingError(f"{name} must start with {' or '.join(f'{s}://' for s in schemes)}: {remedy}.")
        return parts

    def fernet_keys(self, name: str, remedy: str) -> list[str]:
        self.required(name, remedy)
        keys = self.words(name)
        for place, key in enumerate(keys, 1):
            if not _is_fernet_key(key):
                raise SettingError(f"{name}: key {place} is not 32 bytes in URL-safe base64: {remedy}.")
        return keys


def part(value: str | None) -> str:
    """One percent-encoded part of an address, decoded."""
    return unquote(value or "")


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
