"""The Celery application and its beat table: the only list of what runs when."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init, worker_ready
from django.conf import settings
from django.utils.log import configure_logging

from syncadmin.collector import spare_batches
from syncadmin.environment import Environment, stop_on_bad_setting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncadmin.settings")

with stop_on_bad_setting():
    # Read now: Celery would read them later, and a bad one would end in a traceback.
    _ = settings.SECRET_KEY

app = Celery("syncadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

RING_SECONDS = 1.0
TELL_SECONDS = 30.0

app.conf.beat_schedule = {
    "ring": {
        "task": "syncadmin.tasks.beat",
        "schedule": RING_SECONDS,
        # A ring nobody heard in time says nothing that the next one does not say too.
        "options": {"expires": 10},
    },
    "tell": {
        "task": "syncadmin.tasks.tell",
        "schedule": TELL_SECONDS,
        "options": {"expires": 60},
    },
}


@setup_logging.connect
def _log_like_django(**_: Any) -> None:
    """Keeps Celery from putting handlers of its own in place of ours."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@worker_init.connect
def _give_back_unfinished(**_: Any) -> None:
    """Puts tasks that a killed worker had taken back into the queue at once, not only after their visibility timeout.

    Only for a broker that no other worker uses: it would take their tasks away too. `make run` says so.
    """
    if not Environment().boolean("GIVE_BACK_UNFINISHED", False) or not settings.CELERY_BROKER_TRANSPORT_OPTIONS:
        return
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.visibility_timeout = 0
        channel.qos.restore_visible(num=1000, interval=1)


@worker_init.connect
@worker_process_init.connect
def _spare_the_collector(**_: Any) -> None:
    """Once before the worker forks, so that its processes go on sharing what is loaded, and in each of them."""
    spare_batches()


@worker_ready.connect
@beat_init.connect
def _say_ready(**_: Any) -> None:
    """The supervisor of `make run` waits for this file; elsewhere the variable is not set."""
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()
