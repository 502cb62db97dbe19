"""Examines a running setup: the named checks of both connections, whatever state they are in."""

from __future__ import annotations

from syncadmin.connectors.contract import Check, Connector
from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.records import Lane, Side
from syncadmin.services.context import Context


def examine(ctx: Context) -> dict[Side, list[Check]]:
    """The checks of each side; a call that failed as a whole is a red check of its own."""
    return {Side.DYNAMICS: _examine(ctx.dynamics), Side.MARKETO: _examine(ctx.marketo)}


def _examine(connector: Connector) -> list[Check]:
    try:
        return connector.for_work(Lane.LIVE, "doctor").check()
    except ConnectorError as error:
        return [Check("Connection", False, error.message, f"To be mended by: {error.who}.")]
