"""What stops a start."""

from __future__ import annotations


class StartError(Exception):
    """A step of the start failed; the message is one line that says which and what to do."""


class Stopped(Exception):
    """Somebody asked us to stop while we were starting."""
