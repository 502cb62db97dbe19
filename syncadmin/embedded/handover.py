"""What `make run` tells the commands of another terminal: where its servers are.

The file lies in the data folder, for its owner's eyes only, while the servers run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from syncadmin.embedded.places import Places

NAMES = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "VAULT_KEYS", "SANDBOX", "PUBLIC_URL", "STATIC_ROOT",
    "DYNAMICS_PORT", "MARKETO_PORT",
)  # fmt: skip


def leave(places: Places, environment: Mapping[str, str]) -> None:
    places.handover.unlink(missing_ok=True)
    places.handover.touch(mode=0o600)
    places.handover.write_text(json.dumps(dict(environment), indent=1))


def adopt(environ: MutableMapping[str, str]) -> None:
    """Takes over the running servers' addresses and keys, unless the environment names a database itself."""
    found = Places.chosen(environ).handover
    if environ.get("DATABASE_URL") or not os.access(found, os.R_OK):
        return
    for name, value in json.loads(Path(found).read_text()).items():
        environ.setdefault(name, value)
