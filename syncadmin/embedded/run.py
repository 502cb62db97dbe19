"""`make run`: everything on this machine, from the data folder to the ready line."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from syncadmin.embedded import handover, keys, leftovers, logfiles, ports, programs, share
from syncadmin.embedded.errors import StartError, Stopped
from syncadmin.embedded.places import Places
from syncadmin.embedded.postgres import Postgres
from syncadmin.embedded.programs import Ports
from syncadmin.embedded.supervisor import Supervisor
from syncadmin.embedded.valkey import Valkey

NO = ("false", "no", "off", "0")


def run(environ: Mapping[str, str]) -> int:
    """Returns the exit code, once everything has stopped."""
    places = Places.chosen(environ)
    fresh = _switch(environ, "FRESH")
    places.make()
    supervisor = Supervisor(places)
    with _alone(places):
        try:
            _clear(places, fresh)
            link = _start(supervisor, places, environ)
            sys.stdout.write(f"syncadmin is ready: {link}\n")
            sys.stdout.flush()
            supervisor.watch()
        except Stopped:
            pass
        except StartError:
            # Ctrl-C reaches the tools we wait for too: that they ended is then no news.
            if not supervisor.stopping:
                raise
        finally:
            supervisor.stop()
            places.handover.unlink(missing_ok=True)
    return 0


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip()
    if value not in ("", "0", "1"):
        raise StartError(f"{name} is 1 or nothing, not {value!r}")
    return value == "1"


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    with places.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"another syncadmin runs with the data in {places.root}: stop it, or choose another SYNCADMIN_DATA"
            ) from None
        yield


def _clear(places: Places, fresh: bool) -> None:
    leftovers.stop_all(places.pids)
    if fresh:
        Postgres.forget(places.postgres)
        places.wipe()
        places.make()
        places.wizard.touch()
    logfiles.rotate(places.log)


def _start(supervisor: Supervisor, places: Places, environ: Mapping[str, str]) -> str:
    """Starts everything; the address a person opens first."""
    with_sandbox = environ.get("SANDBOX", "").strip().lower() not in NO
    chosen = _ports(environ, with_sandbox)
    servers = _start_servers(supervisor, places, environ)
    environment = _environment(places, environ, chosen, with_sandbox) | servers
    if with_sandbox:
        supervisor.start(programs.dynamics(chosen, places, environment))
        supervisor.start(programs.marketo(chosen, places, environment))
    _prepare(supervisor, places, environment)
    supervisor.start(programs.web(chosen.web, environment))
    supervisor.start(programs.worker(places, environment))
    if with_sandbox:
        supervisor.wait_until_ready("dynamics", "marketo")
    if with_sandbox and not places.wizard.exists():
        supervisor.do(programs.manage("connect", "sandbox", "connect", "--if-new", environment=environment))
    # Last, since it starts the work.
    supervisor.start(programs.beat(places, environment))
    link = supervisor.begin(programs.manage("signin_link", "signin_link", environment=environment))
    supervisor.wait_until_ready("web", "worker", "beat")
    return environment["PUBLIC_URL"] + supervisor.finish(link).strip()


def _ports(environ: Mapping[str, str], with_sandbox: bool) -> Ports:
    web = ports.chosen_port(environ, "PORT", 8000)
    if not with_sandbox:
        return Ports(web, 0, 0)
    chosen = Ports(
        web, ports.chosen_port(environ, "DYNAMICS_PORT", 8101), ports.chosen_port(environ, "MARKETO_PORT", 8102)
    )
    if len({chosen.web, chosen.dynamics, chosen.marketo}) < 3:
        raise StartError("PORT, DYNAMICS_PORT and MARKETO_PORT must differ from each other")
    return chosen


def _start_servers(supervisor: Supervisor, places: Places, environ: Mapping[str, str]) -> dict[str, str]:
    """Starts PostgreSQL and the broker where the environment names none; the variables that name them."""
    kept = keys.kept(places.keys)
    servers: dict[str, str] = {}
    if not environ.get("DATABASE_URL"):
        postgres = Postgres.at(places.postgres, ports.free_port(), kept["postgres"], share.settings())
        postgres.prepare()
        supervisor.start(postgres.program(environ, places.root))
        servers["DATABASE_URL"] = postgres.url
    if not environ.get("CELERY_BROKER_URL"):
        valkey = Valkey(places.valkey, ports.free_port(), kept["valkey"])
        valkey.prepare()
        supervisor.start(valkey.program(environ, places.root))
        servers["CELERY_BROKER_URL"] = valkey.url
    return servers


def _environment(places: Places, environ: Mapping[str, str], chosen: Ports, with_sandbox: bool) -> dict[str, str]:
    """The variables of our processes. What the person set goes before what we would choose."""
    kept = keys.kept(places.keys)
    ours = {
        "SECRET_KEY": kept["SECRET_KEY"],
        "VAULT_KEYS": kept["VAULT_KEYS"],
        "PUBLIC_URL": f"http://{ports.HOST}:{chosen.web}",
        "STATIC_ROOT": str(places.static),
        "PYTHONUNBUFFERED": "1",
    }
    settled = {
        "SANDBOX": str(with_sandbox),
        "SYNCADMIN_DATA": str(places.root),
        "PORT": str(chosen.web),
        "DYNAMICS_PORT": str(chosen.dynamics),
        "MARKETO_PORT": str(chosen.marketo),
    }
    return ours | {name: value for name, value in environ.items() if value} | settled


def _prepare(supervisor: Supervisor, places: Places, environment: Mapping[str, str]) -> None:
    """Brings the tables up to date, and the static files meanwhile."""
    files = supervisor.begin(programs.manage("collectstatic", "collectstatic", "--noinput", environment=environment))
    supervisor.wait_until_ready("postgres", "valkey")
    remedy = "check DATABASE_URL; " if environment.get("DATABASE_URL") == os.environ.get("DATABASE_URL") else ""
    supervisor.do(programs.manage("migrate", "migrate", "--noinput", environment=environment, remedy=remedy))
    supervisor.finish(files)
    handover.leave(places, {name: environment[name] for name in handover.NAMES})
