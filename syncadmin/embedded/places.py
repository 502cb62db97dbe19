"""Where things lie in the data folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncadmin.embedded.errors import StartError

PROJECT = Path(__file__).resolve().parent.parent.parent
MARK = ".syncadmin-data"


@dataclass(frozen=True, slots=True)
class Places:
    root: Path

    @classmethod
    def chosen(cls, environ: Mapping[str, str]) -> Places:
        """The folder SYNCADMIN_DATA names (relative to where one stands), else .data in the project."""
        given = environ.get("SYNCADMIN_DATA", "").strip()
        return cls(Path(given).expanduser().absolute() if given else PROJECT / ".data")

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def pids(self) -> Path:
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def sandbox(self) -> Path:
        return self.root / "sandbox"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def keys(self) -> Path:
        return self.root / "secrets.json"

    @property
    def handover(self) -> Path:
        return self.root / "environment.json"

    @property
    def wizard(self) -> Path:
        """There since FRESH=1: connecting the sandboxes is left to whoever goes through the setup wizard."""
        return self.root / "wizard"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def make(self) -> None:
        """Creates the folders. A folder that holds other things is refused."""
        try:
            # May be passed through, since PostgreSQL may run as another account; what is in it may not be read.
            self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
            if not (self.root / MARK).exists() and any(self.root.iterdir()):
                raise StartError(f"{self.root} holds other things than syncadmin's data: choose another SYNCADMIN_DATA")
            (self.root / MARK).touch()
            for folder in (self.log, self.pids, self.sandbox):
                folder.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise StartError(f"the data folder cannot be used ({error}): choose another with SYNCADMIN_DATA") from None

    def wipe(self) -> None:
        """Removes all data. Only a real folder that carries our mark is ever emptied."""
        if not self.root.exists():
            return
        if self.root.is_symlink() or not (self.root / MARK).is_file() or self.root in (PROJECT, *PROJECT.parents):
            raise StartError(f"{self.root} does not look like syncadmin's data folder, so FRESH=1 does not empty it")
        for place in sorted(self.root.iterdir()):
            # The mark goes last, or a removal cut short could not be repeated.
            if place.name not in (MARK, self.lock.name):
                _remove(place)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
