"""The settings as the type checker's Django plugin loads them: with values that reach nothing."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
os.environ.setdefault("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("SECRET_KEY", "x" * 50)
os.environ.setdefault("VAULT_KEYS", "A" * 43 + "=")

from syncadmin.settings import *  # noqa: F403
