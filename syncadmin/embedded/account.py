"""PostgreSQL refuses to run as root. So root starts it as somebody else, in one of three ways.

1. a user namespace: the files stay root's, and a closed folder above them does not matter;
2. where namespaces are forbidden (containers): the account nobody, which is given the data folder;
3. as 2, but below a folder nobody may not enter: data and binaries live in STATE_FOLDER instead.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from syncadmin.embedded.errors import StartError

NOBODY = 65534
STATE_FOLDER = Path("/var/lib/syncadmin")


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server. `owner`: user id (outside) that the data folder belongs to."""

    prefix: tuple[str, ...]
    owner: int
    needs_open_path: bool

    def own(self, path: Path) -> None:
        """Gives the path, and all below it, to the owner. Does nothing if it is theirs already."""
        if not path.exists() or path.stat().st_uid == self.owner:
            return
        if os.geteuid() != 0:
            raise StartError(
                f"{path} belongs to another user: run as that user, or choose a folder with SYNCADMIN_DATA"
            )
        for place in (path, *path.rglob("*")):
            os.chown(place, self.owner, self.owner, follow_symlinks=False)


def current() -> Account:
    if os.geteuid() != 0:
        return Account((), os.geteuid(), needs_open_path=False)
    unshare = shutil.which("unshare")
    namespace = (unshare or "", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    if unshare and _works((*namespace, "true")):
        return Account(namespace, 0, needs_open_path=False)
    setpriv = shutil.which("setpriv")
    switch = (setpriv or "", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs", "--")
    if setpriv and _works((*switch, "true")):
        return Account(switch, NOBODY, needs_open_path=True)
    raise StartError(
        "PostgreSQL does not run as root, and neither unshare nor setpriv can start it as somebody else: "
        "run as an ordinary user, or give DATABASE_URL"
    )


def _works(command: tuple[str, ...]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def can_be_entered(path: Path) -> bool:
    """Whether everybody may pass through all folders above the path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents if folder.exists())


def open_folder_for(path: Path, make: bool = True) -> Path:
    """Where what belongs at `path` lives instead, for the third way; one folder per path."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    folder = STATE_FOLDER / digest
    if make:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (STATE_FOLDER, folder):
            place.chmod(0o755)
    return folder
