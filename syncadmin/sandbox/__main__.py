"""`python -m syncadmin.sandbox`: serve one of the two sandboxes, or load a CSV file into one."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import loading, people, tls
from .dynamics import DynamicsSandbox
from .marketo import MarketoSandbox
from .server import Server, serve

PORTS = {"dynamics": 8101, "marketo": 8102}
_SAMPLE_SIZE, _SAMPLE_SEED = 60, 1


def now() -> datetime:
    return datetime.now(UTC)


def build(side: str, data: Path | None, base_url: str, *, limits: bool = False, **options: Any) -> Any:
    """The sandbox of one side with its state in `data` (None: memory only)."""
    kind: Any = DynamicsSandbox if side == "dynamics" else MarketoSandbox
    path = None if data is None else data / f"{side}.db"
    return kind(clock=now, path=path, base_url=base_url, limits=limits, **options)


def fill_if_empty(side: str, sandbox: Any) -> int:
    """Load the sample people into a sandbox that holds nobody; returns how many."""
    entities = ("lead", "contact") if side == "dynamics" else ("person",)
    if any(next(iter(sandbox.rows(entity)), None) is not None for entity in entities):
        return 0
    sample, loaded = people.sample(_SAMPLE_SIZE, _SAMPLE_SEED), 0
    for entity in entities:
        rows = people.rows(sample, side, entity)
        sandbox.load(entity, rows)
        loaded += len(rows)
    return loaded


def serve_side(
    side: str,
    *,
    port: int,
    data: Path | None,
    host: str = "127.0.0.1",
    with_tls: bool = False,
    sample: bool = False,
    **options: Any,
) -> tuple[Server, Any]:
    """Start one side; returns its server and the sandbox. OSError if the port is taken."""
    scheme = "https" if with_tls else "http"
    sandbox = build(side, data, f"{scheme}://{host}:{port}", **options)
    context = tls.context((data or Path.cwd()) / "tls") if with_tls else None
    server = serve(sandbox, host, port, context)
    if sample:
        fill_if_empty(side, sandbox)
    if side == "marketo":
        sandbox.start_campaigns()
    return server, sandbox


def serve_both(
    data_dir: Path,
    dynamics_port: int = PORTS["dynamics"],
    marketo_port: int = PORTS["marketo"],
    tls: bool = False,
    sample: bool = False,
) -> tuple[tuple[Server, Any], tuple[Server, Any]]:
    """Start both sides in this process: ((server, sandbox) of Dynamics, the same of Marketo)."""
    first = serve_side("dynamics", port=dynamics_port, data=data_dir, with_tls=tls, sample=sample)
    try:
        return first, serve_side("marketo", port=marketo_port, data=data_dir, with_tls=tls, sample=sample)
    except OSError:
        first[0].close()
        raise


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m syncadmin.sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    for owner in (parser, commands.add_parser("serve", help="serve one side (the default)")):
        owner.add_argument("--side", choices=sorted(PORTS), default="dynamics")
        owner.add_argument("--host", default="127.0.0.1")
        owner.add_argument("--port", type=int, help="8101 for dynamics, 8102 for marketo")
        owner.add_argument("--data", type=Path, help="folder that keeps the state; memory only without it")
        owner.add_argument("--sample", action="store_true", help="invent people if there are none")
        owner.add_argument("--tls", action="store_true", help="serve https; trust DATA/tls/ca.pem")
        owner.add_argument("--limits", action="store_true", help="enforce the documented limits")
        owner.add_argument("--webhook-url", help="where Marketo's Sync Person posts to")
    load = commands.add_parser("load", help="load a CSV file by its header names")
    load.add_argument("--side", choices=sorted(PORTS), required=True)
    load.add_argument("--entity", help="lead, contact or account; person")
    load.add_argument("--url", help="the running server")
    load.add_argument("--data", type=Path, help="folder of a sandbox that is not running")
    load.add_argument("file", type=Path)
    return parser


def _load(options: argparse.Namespace) -> int:
    entity = options.entity or loading.default_entity(options.side)
    try:
        if options.data:
            sandbox = build(options.side, options.data, loading.URLS[options.side])
            report = loading.load_file(options.file, options.side, entity, loading.into(sandbox))
            sandbox.close()
        else:
            put = loading.over_http(options.url or loading.URLS[options.side])
            report = loading.load_file(options.file, options.side, entity, put)
    except loading.LoadFailed as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for line in report.lines():
        print(line)  # noqa: T201
    return 0


def _serve(options: argparse.Namespace) -> int:
    port = PORTS[options.side] if options.port is None else options.port
    more: dict[str, Any] = {"limits": options.limits}
    if options.webhook_url and options.side == "marketo":
        more["webhook_url"] = options.webhook_url
    try:
        server, sandbox = serve_side(
            options.side,
            port=port,
            data=options.data,
            host=options.host,
            with_tls=options.tls,
            sample=options.sample,
            **more,
        )
    except OSError as error:
        print(f"cannot listen on {options.host}:{port}: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{options.side} sandbox: {server.url}", flush=True)  # noqa: T201
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # A signal that comes right before an endless wait would be heard only after it.
    while not stop.wait(0.5):
        continue
    server.close()
    sandbox.close()
    return 0


def main(arguments: list[str] | None = None) -> int:
    options = _arguments().parse_args(arguments)
    return _load(options) if options.command == "load" else _serve(options)


if __name__ == "__main__":
    sys.exit(main())
