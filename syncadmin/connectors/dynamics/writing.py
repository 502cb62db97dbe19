"""Creates and updates in chunks: bulk first, single operations where a row must be isolated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from syncadmin.connectors.contract import Create, Outcome, Status, Update
from syncadmin.connectors.dynamics import payloads, requests, responses
from syncadmin.connectors.dynamics.batch import Part, batch_answers, batch_request
from syncadmin.connectors.dynamics.names import is_guid, key_of
from syncadmin.connectors.dynamics.pace import Pace
from syncadmin.connectors.dynamics.refusals import KEY_EXISTS, MEMBERSHIP, SQL_TROUBLE, UNEXPECTED, USER_DISABLED
from syncadmin.connectors.errors import (
    ConnectorError,
    Malformed,
    NoAnswer,
    PermissionMissing,
    Refused,
    Throttled,
    TooLarge,
    Unavailable,
)
from syncadmin.connectors.http import UNADVISED_PAUSE, Http
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.retry import advised
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Ref, Table
from syncadmin.engine.schema import Schema

# How often a chunk without an answer is asked again, each time in smaller pieces.
SMALLER_PIECES = 3
_LATER: tuple[tuple[type[ConnectorError], Cause], ...] = (
    (Throttled, Cause.THROTTLED),
    (NoAnswer, Cause.NO_ANSWER),
    (Malformed, Cause.MALFORMED_ANSWER),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One write: its place in the caller's list, its record, what is sent."""

    place: int
    ref: Ref
    body: bytes = field(repr=False)
    item: Create | Update = field(repr=False)

    @property
    def known(self) -> Ref | None:
        """The record an outcome may name although nothing was written: that of an update."""
        return self.ref if isinstance(self.item, Update) else None


class Writer:
    """The writes of one call of the connector."""

    def __init__(
        self,
        http: Http,
        call: Callable[[Request], Answer],
        schema: Callable[[Table, Sequence[str]], Schema],
        pace: Pace,
    ) -> None:
        self._http, self._call, self._schema, self._pace = http, call, schema, pace
        self._outcomes: dict[int, Outcome] = {}
        self._stopped: ConnectorError | None = None
        # Places that were sent in a call without an answer.
        self._unanswered: set[int] = set()

    def create(self, items: Sequence[Create], *, detect_duplicates: bool) -> list[Outcome]:
        jobs = [job for place, item in enumerate(items) if (job := self._create_job(place, item))]
        single = detect_duplicates  # no answer of a bulk message says which row was the duplicate
        for table in dict.fromkeys(job.ref.table for job in jobs):
            of_table = [job for job in jobs if job.ref.table is table]

            def send(chunk: list[Job], table: Table = table) -> list[Outcome]:
                if single or len(chunk) == 1 or table in self._pace.without_bulk:
                    return self._create_each(chunk, detect_duplicates)
                return self._create_multiple(table, chunk)

            self._in_chunks(of_table, "create", send)
        return self._in_order(len(items))

    def update(self, items: Sequence[Update]) -> list[Outcome]:
        jobs = [job for place, item in enumerate(items) if (job := self._update_job(place, item))]
        self._in_chunks(jobs, "update", self._update_each)
        return self._in_order(len(items))

    def _in_order(self, count: int) -> list[Outcome]:
        return [self._outcomes[place] for place in range(count)]

    # Building

    def _create_job(self, place: int, item: Create) -> Job | None:
        if item.ref is None or not is_guid(item.ref.id):
            raise ValueError("a create in Dynamics needs the id chosen for it")
        ref = item.ref
        extra = {"@odata.type": f"Microsoft.Dynamics.CRM.{item.table}", key_of(item.table): ref.id}
        return self._job(place, ref, item, extra)

    def _update_job(self, place: int, item: Update) -> Job | None:
        if not is_guid(item.ref.id):
            text = f"{item.ref.id[:60]!r} is no id of a Dynamics record."
            self._outcomes[place] = Outcome(Status.REFUSED, item.ref, message=text, cause=Cause.NOT_FOUND)
            return None
        if not item.values:
            self._outcomes[place] = Outcome(Status.UPDATED, item.ref, item.version)
            return None
        if not (item.version.isascii() and item.version.isprintable()):
            # It would break the header block of the whole batch; reading the record anew mends it.
            text = "The stored version cannot be sent."
            self._outcomes[place] = Outcome(Status.STALE, item.ref, message=text, cause=Cause.UNKNOWN)
            return None
        return self._job(place, item.ref, item, {})

    def _job(self, place: int, ref: Ref, item: Create | Update, extra: dict[str, str]) -> Job | None:
        schema = self._schema(ref.table, list(item.values))
        try:
            return Job(place, ref, payloads.body(item.values, schema, extra), item)
        except payloads.Unbuildable as reason:
            known = ref if isinstance(item, Update) else None
            text, cause, column = reason.message, reason.cause, reason.column
            self._outcomes[place] = Outcome(Status.REFUSED, known, message=text, cause=cause, column=column)
            return None

    # Chunks

    def _in_chunks(self, jobs: list[Job], kind: str, send: Callable[[list[Job]], list[Outcome]]) -> None:
        """Sends all jobs; an error is raised only while nothing has been written, else the rest is LATER."""
        rest, limit = jobs, self._pace.size(kind)
        unanswered: NoAnswer | None = None
        halved = 0
        while rest:
            if self._stopped:
                self._give_up(rest, self._stopped)
                return
            chunk = rest[:limit]
            begun = self._http.clock()
            try:
                self._settle(chunk, send(chunk))
            except ConnectorError as error:
                if isinstance(error, NoAnswer):
                    unanswered = error
                    self._unanswered |= {job.place for job in chunk}
                if len(chunk) == 1 and isinstance(error, TooLarge):
                    self._settle(chunk, [_too_large(chunk[0], error)])
                elif _asks_for_less(error) and (halved < SMALLER_PIECES or isinstance(error, TooLarge)):
                    halved += 1
                    limit = self._pace.halve(kind, len(chunk))
                    continue
                else:
                    # After a call without an answer, "not sent" would be a lie.
                    self._give_up(rest, unanswered or error)
                    return
            self._pace.took(kind, len(chunk), (self._http.clock() - begun).total_seconds())
            rest = rest[len(chunk) :]
            # One huge row must not leave all others to go one by one.
            limit = min(self._pace.size(kind), limit * 2)

    def _settle(self, chunk: list[Job], outcomes: list[Outcome]) -> None:
        for job, outcome in zip(chunk, outcomes, strict=True):
            self._outcomes[job.place] = replace(outcome, repeated=job.place in self._unanswered)

    def _give_up(self, rest: list[Job], error: ConnectorError) -> None:
        self._stopped = error
        if not any(outcome.status is not Status.REFUSED for outcome in self._outcomes.values()):
            raise error
        cause = next((cause for kind, cause in _LATER if isinstance(error, kind)), Cause.UNAVAILABLE)
        later = Outcome(Status.LATER, code=error.code, message=error.message, cause=cause, request_id=error.request_id)
        self._settle(rest, [replace(later, ref=job.known) for job in rest])

    # Sending

    def _create_multiple(self, table: Table, chunk: list[Job]) -> list[Outcome]:
        try:
            answer = self._call(requests.create_multiple(table, payloads.targets([job.body for job in chunk])))
        except (Refused, PermissionMissing, Unavailable) as error:
            if not _is_about_a_row(error, chunk):
                raise
            if _lacks_message(error):
                self._pace.without_bulk.add(table)
            return self._create_each(chunk, False)
        ids = answer.object().get("Ids")
        if not isinstance(ids, list) or [str(id).lower() for id in ids] != [job.ref.id for job in chunk]:
            raise Malformed("CreateMultiple did not answer with the ids it was given.", code=str(answer.status))
        return [Outcome(Status.CREATED, job.ref, request_id=answer.headers.get("req_id", "")) for job in chunk]

    def _create_each(self, chunk: list[Job], detect_duplicates: bool) -> list[Outcome]:
        parts = [requests.create_part(job.ref.table, job.body, detect_duplicates=detect_duplicates) for job in chunk]
        return self._confirmed(chunk, self._batch(chunk, parts, Status.CREATED))

    def _update_each(self, chunk: list[Job]) -> list[Outcome]:
        parts = [
            requests.update_part(
                job.ref.table, job.ref.id, job.body, job.item.version if isinstance(job.item, Update) else ""
            )
            for job in chunk
        ]
        return self._batch(chunk, parts, Status.UPDATED)

    def _batch(self, chunk: list[Job], parts: list[Part], done: Status) -> list[Outcome]:
        answers = self.ask_each(parts)
        outcomes = [
            responses.outcome(answer, job.ref, done, job.item.values)
            for job, answer in zip(chunk, answers, strict=False)
        ]
        missing = [_not_answered(job) for job in chunk[len(answers) :]]
        return outcomes + missing

    def ask_each(self, parts: Sequence[Part], *, safe_to_repeat: bool = False) -> list[Answer]:
        """One answer for each operation, fewer if the server stopped; throttling inside is passed on to all."""
        boundary = "batch_" + hashlib.sha256(b"".join(part.body for part in parts)).hexdigest()[:32]
        root = f"{self._http.base.path}/{requests.API}"
        request = batch_request(
            root, requests.API, parts, boundary, timeout=requests.WRITE_SECONDS, safe_to_repeat=safe_to_repeat
        )
        answers = batch_answers(self._call(request))
        if len(answers) > len(parts):
            raise Malformed(f"A batch of {len(parts)} was answered {len(answers)} times.", code="batch")
        throttled = [answer for answer in answers if answer.status == 429]
        if throttled:
            advice = (advised(answer.headers.get("retry-after"), self._http.clock()) for answer in throttled)
            until = max(filter(None, advice), default=self._http.clock() + UNADVISED_PAUSE)
            self._http.pause(until)
            self._stopped = Throttled("Dynamics throttled within a batch.", code="429", until=until)
        return answers

    def _confirmed(self, chunk: list[Job], outcomes: list[Outcome]) -> list[Outcome]:
        """Looks up which "already there" are our own ids: an earlier call without an answer may have made them.

        An older server gives the same code to any unique key, and duplicate detection finds our own record first.
        """
        doubtful = [place for place, outcome in enumerate(outcomes) if _may_be_ours(outcome)]
        if not doubtful:
            return outcomes
        refs = [chunk[place].ref for place in doubtful]
        parts = [requests.read_part(ref.table, ref.id, [key_of(ref.table)], annotated=False) for ref in refs]
        answers = self.ask_each(parts, safe_to_repeat=True)
        confirmed = list(outcomes)
        for place, ref, answer in zip(doubtful, refs, answers, strict=False):
            if answer.status == 200:
                version = responses.version_of(answer)
                confirmed[place] = replace(outcomes[place], status=Status.EXISTS, ref=ref, version=version)
            elif responses.says_gone(answer, ref):
                confirmed[place] = replace(outcomes[place], ref=None)
        return confirmed


def _may_be_ours(outcome: Outcome) -> bool:
    return outcome.status is Status.DUPLICATE or (outcome.code == KEY_EXISTS and outcome.ref is not None)


def _asks_for_less(error: ConnectorError) -> bool:
    return isinstance(error, NoAnswer | TooLarge) or error.code in SQL_TROUBLE


def _is_about_a_row(error: ConnectorError, chunk: list[Job]) -> bool:
    """Whether the bulk message failed for one of its rows, which single operations will find."""
    if isinstance(error, TooLarge):
        return False
    if isinstance(error, Unavailable):
        return error.code == UNEXPECTED
    if error.code in USER_DISABLED:
        return any("ownerid" in job.item.values for job in chunk)
    if isinstance(error, PermissionMissing):
        return error.code not in MEMBERSHIP and "missing prv" not in error.message
    return True


def _lacks_message(error: ConnectorError) -> bool:
    return error.code in {"0x8006088a", "404", "405", "501"} or "not yet been implemented" in error.message


def _too_large(job: Job, error: ConnectorError) -> Outcome:
    return Outcome(Status.REFUSED, job.known, code=error.code, message=error.message, cause=Cause.TOO_LARGE)


def _not_answered(job: Job) -> Outcome:
    message = "Dynamics stopped answering before this record."
    return Outcome(Status.LATER, job.known, code="batch", message=message, cause=Cause.NO_ANSWER)
