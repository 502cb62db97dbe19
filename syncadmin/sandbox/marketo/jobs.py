"""Bulk extract jobs: Created, Queued, Processing, Completed, driven by the clock; the file appears at the end."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from . import exports
from .answers import ApiError, moment, stamp
from .limits import Limits
from .state import State

_FILE_KEPT, _JOB_SHOWN, _JOB_KEPT = timedelta(days=7), timedelta(days=7), timedelta(days=30)
Job = dict[str, Any]


class Jobs:
    """Rows by export id. Files are kept in memory, and beside the state when that is on disk."""

    def __init__(self, state: State, limits: Limits) -> None:
        self._state = state
        self._limits = limits
        self._files: dict[str, bytes] = {}

    def create(self, kind: str, user: str, spec: dict[str, Any]) -> Job:
        id = str(uuid.UUID(int=self._state.chance.getrandbits(128), version=4))
        job = {"exportId": id, "kind": kind, "user": user, "spec": spec, "status": "Created", "number": self._number()}
        return self._keep(job | {"createdAt": self._state.now()})

    def _number(self) -> int:
        return self._state.next_id("job", 1)

    def enqueue(self, job: Job) -> Job:
        waiting = [row for row in self._state.jobs.values() if row["status"] in ("Queued", "Processing")]
        if job["status"] in ("Queued", "Processing"):
            raise ApiError(1029, "Job already queued")
        if job["status"] != "Created":
            raise ApiError(1003, f"Job in status {job['status']} cannot be queued")
        if len(waiting) >= self._state.knobs.bulk_queue:
            raise ApiError(1029, f"Too many jobs ({self._state.knobs.bulk_queue}) in queue")
        if self._limits.on and self.used_today() >= self._state.knobs.bulk_bytes:
            quota = self._state.knobs.bulk_bytes // (1024 * 1024)
            raise ApiError(1029, f"Export daily quota {quota}MB exceeded")
        return self._keep({**job, "status": "Queued", "queuedAt": self._state.now()})

    def cancel(self, job: Job) -> Job:
        if job["status"] not in ("Created", "Queued", "Processing"):
            raise ApiError(1003, f"Job in status {job['status']} cannot be cancelled")
        return self._keep({**job, "status": "Cancelled"})

    def used_today(self) -> int:
        """Bytes of all files finished on the account's current day."""
        day = self._limits.day()
        return sum(job.get("fileSize", 0) for job in self._state.jobs.values() if job.get("day") == day)

    def advance(self) -> None:
        """Let time pass: start what found a place and finish what ran long enough, each at its own moment."""
        now, reached = self._state.clock(), datetime.min.replace(tzinfo=UTC)
        while True:
            at, job = self._next(reached)
            if job is None or at > now:
                return
            # A place that just became free takes the next job at that very moment.
            reached = at
            if job["status"] == "Processing":
                self._finish(job, at)
            else:
                self._keep({**job, "status": "Processing", "startedAt": stamp(at)})

    def _next(self, reached: datetime) -> tuple[datetime, Job | None]:
        """The next thing to happen to any job; a queued one starts only if a place is free."""
        knobs = self._state.knobs
        rows = [job for job in self._state.jobs.values() if job["status"] in ("Queued", "Processing")]
        running = [job for job in rows if job["status"] == "Processing"]
        moments = [(moment(job["startedAt"]) + timedelta(seconds=knobs.bulk_run), job) for job in running]
        if len(running) < knobs.bulk_running:
            wait = timedelta(seconds=knobs.bulk_start)
            queued = [job for job in rows if job["status"] == "Queued"]
            moments += [(max(moment(job["queuedAt"]) + wait, reached), job) for job in queued]
        first = min(moments, key=lambda found: (found[0], found[1]["number"]), default=None)
        return first or (reached, None)

    def _finish(self, job: Job, at: datetime) -> None:
        count, body = exports.write(self._state, job["kind"], job["spec"])
        id = job["exportId"]
        self._files[id] = body
        folder = self._state.path and self._state.path.parent / "exports"
        if folder:
            folder.mkdir(exist_ok=True)
            # Before the status says Completed, so a restart never finds the one without the other.
            (folder / id).write_bytes(body)
        done = {"finishedAt": stamp(at), "numberOfRecords": count, "fileSize": len(body)}
        done["fileChecksum"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._keep({**job, "status": "Completed", "day": self._limits.day(), **done})

    def file(self, job: Job) -> bytes | None:
        """The finished file, or None when it is not there yet or no longer kept."""
        if job["status"] != "Completed" or moment(job["finishedAt"]) + _FILE_KEPT < self._state.clock():
            return None
        id = job["exportId"]
        if id not in self._files and self._state.path:
            self._files[id] = (self._state.path.parent / "exports" / id).read_bytes()
        return self._files.get(id)

    def find(self, kind: str, user: str, id: str) -> Job:
        """Jobs of other API users and jobs older than a month do not exist."""
        job: Job | None = self._state.jobs.get(id)
        if job is None or job["kind"] != kind or job["user"] != user:
            raise ApiError(1013, f"Object not found: job '{id}'")
        if moment(job["createdAt"]) + _JOB_KEPT < self._state.clock():
            raise ApiError(1013, f"Object not found: job '{id}'")
        return job

    def recent(self, kind: str, user: str, statuses: list[str]) -> list[Job]:
        oldest = stamp(self._state.clock() - _JOB_SHOWN)
        mine = [job for job in self._state.jobs.values() if job["kind"] == kind and job["user"] == user]
        return [
            job for job in mine if job["createdAt"] >= oldest and (not statuses or _spelt(job["status"]) in statuses)
        ]

    def seen(self, job: Job) -> Job:
        """What a status call shows: refreshed no more often than the account's interval allows."""
        knobs, now = self._state.knobs, self._state.clock()
        last = job.get("shown")
        # The real service answers from a cache; polling faster shows nothing new.
        if last and knobs.bulk_refresh and moment(last["at"]) + timedelta(seconds=knobs.bulk_refresh) > now:
            return {**job, **last["job"]}
        shown = public(job)
        if knobs.bulk_refresh:
            self._keep({**job, "shown": {"at": stamp(now), "job": shown}})
        return job

    def _keep(self, job: Job) -> Job:
        self._state.jobs[job["exportId"]] = job
        return job


def _spelt(status: str) -> str:
    return "Canceled" if status == "Cancelled" else status


_SHOWN = (
    "exportId",
    "format",
    "status",
    "createdAt",
    "queuedAt",
    "startedAt",
    "finishedAt",
    "numberOfRecords",
    "fileSize",
    "fileChecksum",
    "errorMsg",
)


def public(job: Job) -> Job:
    shown = {**job, "format": job["spec"]["format"]}
    return {name: shown[name] for name in _SHOWN if name in shown}
