"""The keys of an embedded installation: made once, kept in a file only its owner can read."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from syncadmin.embedded.errors import StartError


def kept(file: Path) -> Mapping[str, str]:
    """SECRET_KEY, VAULT_KEYS and the servers' passwords; the same ones at each start."""
    if not file.exists():
        _write(file, _fresh())
    try:
        found = json.loads(file.read_text())
    except ValueError:
        found = {}
    if not isinstance(found, dict) or set(found) != set(_fresh()):
        raise StartError(
            f"{file} is damaged, and it opens the stored credentials: bring it back, or start with FRESH=1"
        )
    return {str(name): str(value) for name, value in found.items()}


def _fresh() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "VAULT_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "postgres": secrets.token_hex(24),
        "valkey": secrets.token_hex(24),
    }


def _write(file: Path, keys: Mapping[str, str]) -> None:
    # Complete or not at all: a start cut short must not leave half a file.
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(keys, indent=1))
    draft.rename(file)
