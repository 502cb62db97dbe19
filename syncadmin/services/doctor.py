"""Examines a running setup: the named checks of both connections, whatever state they are in."""

from __future__ import annotations

from collections.abc import Callable

from syncadmin.connectors.contract import Check
from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.records import Lane, Side
from syncadmin.services.context import Context


def examine(ctx: Context) -> dict[Side, list[Check]]:
    """The checks of each side; a call that failed as a whole is a red check of its own."""
    dynamics, marketo = ctx.dynamics.for_work(Lane.LIVE, "doctor"), ctx.marketo.for_work(Lane.LIVE, "doctor")
    probe = str(ctx.new_guid())
    return {
        Side.DYNAMICS: _examine(lambda: dynamics.check(probe_id=probe)),
        Side.MARKETO: _examine(marketo.check),
    }


def _examine(check: Callable[[], list[Check]]) -> list[Check]:
    try:
        return check()
    except ConnectorError as error:
        return [Check("Connection", False, error.message, f"To be mended by: {error.who}.")]
