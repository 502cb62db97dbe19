"""Carries out a write of many records: cut into calls, halved around a bad record, one outcome for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncadmin.connectors.contract import Outcome, Status
from syncadmin.connectors.errors import ConnectorError, Malformed, NoAnswer, Refused, TooLarge
from syncadmin.connectors.marketo import codes, responses
from syncadmin.connectors.marketo.requests import MOST_BYTES, MOST_RECORDS
from syncadmin.connectors.messages import Answer
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Ref, Table

# Action, lookup field and partition stand around the rows.
ROOM = MOST_BYTES - 2_000
# 1 + 2 + 4 + 8 calls without one record passing: this is not about single records.
DEEPEST_BLIND_SPLIT = 3
_WRITTEN = {"created": Status.CREATED, "added": Status.CREATED, "updated": Status.UPDATED}
# Refusals of a whole call that one record's value can provoke.
_BY_VALUE = frozenset({"701", "704", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1011", "1036"})


@dataclass(frozen=True, slots=True)
class Row:
    """One record to be written, as JSON. ``keys`` must not meet the same key in one call; ``person`` is its id."""

    index: int
    body: bytes = field(repr=False)
    keys: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    person: str = ""


Send = Callable[[Sequence[bytes]], Answer]


def refusal(cause: Cause | str, message: str, column: str = "") -> Outcome:
    """The outcome of a record that was not sent because it cannot pass."""
    return Outcome(Status.REFUSED, message=message, cause=str(cause), column=column)


def carry_out(
    rows: Sequence[Row], refused: Mapping[int, Outcome], send: Send, *, answers_people: bool = True
) -> list[Outcome]:
    """Outcomes in the order of the records given; ``refused`` are those of them that cannot be sent.

    Raises if the first call fails as a whole, and ``NoAnswer`` whenever records may be written without our knowing
    it. Once some records are answered, another failure becomes the outcome LATER of the records it leaves unsent.
    """
    writing = _Writing(send, dict(refused), answers_people)
    for batch in _batches(row for row in rows if len(row.body) <= ROOM):
        writing.batch(batch)
    for row in rows:
        writing.done.setdefault(row.index, refusal(Cause.TOO_LARGE, "The record is larger than a call may be."))
    return [writing.done[index] for index in range(len(writing.done))]


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = list(rows)
    while waiting:
        batch: list[Row] = []
        later: list[Row] = []
        size, keys = 0, set[str]()
        for row in waiting:
            fits = len(batch) < MOST_RECORDS and size + len(row.body) < ROOM and not row.keys & keys
            (batch if fits else later).append(row)
            size += len(row.body) + 1 if fits else 0
            keys |= row.keys  # of waiting rows too, so that two writes of one key keep their order
        yield batch
        waiting = later


class _Writing:
    """What is known so far about the records of one write."""

    def __init__(self, send: Send, done: dict[int, Outcome], answers_people: bool) -> None:
        self._send = send
        self.done = done
        self._answers_people = answers_people
        self._answered = False
        self._stopped: ConnectorError | None = None
        self._last = Refused("")

    def batch(self, batch: Sequence[Row]) -> None:
        passed, level, depth = len(self.done), [batch], 0
        while level:
            open_parts = [rest for part in level for rest in self._part(part)]
            if open_parts and depth >= DEEPEST_BLIND_SPLIT and len(self.done) == passed:
                self._give_up(open_parts)
                return
            level = [half for part in open_parts for half in _halves(part)]
            depth += 1

    def _part(self, part: Sequence[Row]) -> list[Sequence[Row]]:
        """Sends a part; answers with what is to be sent again in halves."""
        if self._stopped is not None:
            self._leave(part, self._stopped, Cause.UNAVAILABLE)
            return []
        try:
            self.done |= _read(part, self._send([row.body for row in part]), self._answers_people)
            self._answered = True
        except Refused as error:
            return self._refused(part, error)
        except ConnectorError as error:
            # A caller that knows of the doubt reads the people again; what the other calls answered is then seen too.
            if isinstance(error, NoAnswer) or not self._answered:
                raise
            self._stopped = error
            self._leave(part, error, codes.lookup(error.code).cause)
        return []

    def _refused(self, part: Sequence[Row], error: Refused) -> list[Sequence[Row]]:
        self._last = error
        # A 6xx refuses the call itself (malformed, wrong path): no record is at fault, and none was looked at.
        if not isinstance(error, TooLarge) and error.code not in _BY_VALUE and not error.code.startswith("1"):
            if not self._answered:
                raise error
            self._stopped = error
        named = codes.column_of(error.message)
        # Marketo may refuse a whole call for one unknown field; the records without it need not wait.
        guilty = [row for row in part if named in row.columns]
        if guilty and not isinstance(error, TooLarge):
            self.done |= {row.index: _outcome_of(error, column=named) for row in guilty}
            return [rest] if (rest := [row for row in part if named not in row.columns]) else []
        if len(part) > 1 and self._stopped is None and (isinstance(error, TooLarge) or error.code in _BY_VALUE):
            return [part]
        self.done |= {row.index: _outcome_of(error, siblings=self._answered) for row in part}
        return []

    def _give_up(self, parts: Sequence[Sequence[Row]]) -> None:
        given_up = _outcome_of(self._last)
        if given_up.status not in (Status.REFUSED, Status.LATER):  # GONE and EXISTS are said of one record only
            given_up = replace(given_up, status=Status.LATER, cause=Cause.MALFORMED_ANSWER)
        self.done |= {row.index: given_up for part in parts for row in part}

    def _leave(self, part: Sequence[Row], error: ConnectorError, cause: Cause) -> None:
        left = Outcome(Status.LATER, code=error.code, message=error.message, cause=cause, request_id=error.request_id)
        self.done |= {row.index: left for row in part}


def _halves(part: Sequence[Row]) -> list[Sequence[Row]]:
    middle = (len(part) + 1) // 2
    return [half for half in (part[:middle], part[middle:]) if half]


def _outcome_of(error: Refused, *, column: str = "", siblings: bool = False) -> Outcome:
    """The outcome of one record whose call failed. A crash (611) that spares all others is this record's doing."""
    meaning = codes.lookup(error.code)
    status, cause = meaning.status, codes.cause_of(error.code, error.message)
    if error.code == "611" and siblings:
        status, cause = Status.REFUSED, Cause.UNKNOWN
    return Outcome(
        status, code=error.code, message=error.message, cause=cause, column=column, request_id=error.request_id
    )


def _read(part: Sequence[Row], answer: Answer, answers_people: bool) -> dict[int, Outcome]:
    """Outcomes by position. An answer that cannot be matched to what was sent is no answer."""
    try:
        envelope = responses.envelope(answer)
        if len(envelope.result) != len(part):
            raise Malformed(f"{len(part)} records were sent, {len(envelope.result)} were answered.")
        return {
            row.index: _outcome(
                row, _known(row, responses.mapping(said), answers_people), responses.mapping(said), envelope.request_id
            )
            for row, said in zip(part, envelope.result, strict=True)
        }
    except Malformed as error:
        raise NoAnswer(f"Sent, but the answer cannot be used: {error.message}", code="answer") from error


def _known(row: Row, said: Mapping[str, object], answers_people: bool) -> Ref | None:
    """The person an answer is about; a log entry's answer holds the activity's id, not the person's."""
    if not answers_people or said.get("id") is None:
        return Ref(Table.PERSON, row.person) if row.person else None
    person = responses.person_id(said["id"])
    if row.person not in ("", person):
        raise Malformed(f"The answer about person {row.person} names {person}.")
    return Ref(Table.PERSON, person)


def _outcome(row: Row, known: Ref | None, said: Mapping[str, object], request_id: str) -> Outcome:
    word = str(said.get("status") or "")
    if word in _WRITTEN and known is not None:
        return Outcome(_WRITTEN[word], known, request_id=request_id)
    # Custom activities call their reasons errors.
    code, message = responses.first_reason(said.get("reasons") or said.get("errors"))
    if not code:
        return Outcome(
            Status.LATER,
            message=f"Marketo answered {word!r} without a person or a reason.",
            cause=Cause.MALFORMED_ANSWER,
            request_id=request_id,
        )
    return Outcome(
        codes.lookup(code).status,
        known,
        code=code,
        message=message,
        cause=codes.cause_of(code, message),
        column=codes.column_of(message),
        request_id=request_id,
    )
