"""The Celery application and its beat table: the only list of what runs when."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_ready

from syncadmin.environment import stop_on_bad_setting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncadmin.settings")

with stop_on_bad_setting():
    from syncadmin import settings  # noqa: F401  Celery reads them later, where a bad one would end in a traceback

app = Celery("syncadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

RING_SECONDS = 1.0

app.conf.beat_schedule = {
    "ring": {
        "task": "syncadmin.tasks.beat",
        "schedule": RING_SECONDS,
        # A ring nobody heard in time says nothing that the next one does not say too.
        "options": {"expires": 10},
    },
}


@worker_ready.connect
@beat_init.connect
def _say_ready(**_: Any) -> None:
    """The supervisor of `make run` waits for this file; elsewhere the variable is not set."""
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()
