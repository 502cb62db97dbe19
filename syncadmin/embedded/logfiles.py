"""The log files of our processes, one for each, in the data folder."""

from __future__ import annotations

from pathlib import Path

LARGEST = 5_000_000
KEPT = 3


def rotate(folder: Path) -> None:
    """Puts files that have grown too long aside, as NAME.log.1 (newest) to NAME.log.3; done while nobody writes."""
    for file in folder.glob("*.log"):
        if file.stat().st_size <= LARGEST:
            continue
        for number in range(KEPT - 1, 0, -1):
            older = Path(f"{file}.{number}")
            if older.exists():
                older.replace(f"{file}.{number + 1}")
        file.replace(f"{file}.1")


def last_words(file: Path, start: int = 0) -> str:
    """The last line that says something since the file was `start` bytes long."""
    with file.open("rb") as log:
        log.seek(start)
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it said nothing"
