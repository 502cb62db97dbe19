"""Bugs that the simulation must catch. `manage.py simulate --planted` plants and catches them one by one."""

from __future__ import annotations

from tests.planted.engine import ENGINE
from tests.planted.services import SERVICES

BUGS = (*ENGINE, *SERVICES)
