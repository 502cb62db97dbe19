"""Bulk lead extracts: the state of a job, and its file read in ranges that may end anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from syncadmin.connectors.contract import Extract, ExtractState
from syncadmin.connectors.errors import ConnectorError, Malformed, QuotaSpent, Refused, Throttled, Unavailable
from syncadmin.connectors.marketo import codes, requests, responses, values
from syncadmin.connectors.marketo.metadata import names_by_fold
from syncadmin.connectors.marketo.responses import mapping, person_id
from syncadmin.connectors.marketo.values import Columns
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.records import Raw, Record, Ref, Table
from syncadmin.engine.schema import Kind

RANGE_BYTES = 4 * 1024 * 1024
HEAD_BYTES = 64 * 1024  # enough for a header of a thousand fields
# A description may be long, but a record beyond this is a quote that never closes.
LONGEST_RECORD = 32 * 1024 * 1024

_STATES = {
    "created": ExtractState.CREATED,
    "queued": ExtractState.QUEUED,
    "processing": ExtractState.RUNNING,
    "completed": ExtractState.COMPLETED,
    "canceled": ExtractState.CANCELLED,
    "cancelled": ExtractState.CANCELLED,
    "failed": ExtractState.FAILED,
}
# Stray NULs and CRs may stand before a quote or at a line's end; inside quotes everything is text.
_QUOTE, _NEWLINE = b'"\n'
_OPENING = re.compile(rb'[\x00\r]*"')
_BORDER = re.compile(rb"[,\n]")
_STRAY = re.compile(rb"[\x00\r]+")

Download = Callable[[int, int], Answer]
Send = Callable[[Request], Answer]
# Ten jobs of everybody stand in the queue; one takes minutes.
_QUEUE_PAUSE = timedelta(minutes=2)


def start(send: Send, request: Request, now: datetime) -> Extract:
    """Creates a job and queues it if there is room."""
    try:
        created = _job_in(send(request))
    except Refused as error:
        raise _no_room(error, now) from error
    try:
        return enqueue(send, created.id, now)
    except Throttled as error:  # the job stands and can be queued later
        return replace(created, message=error.message)


def enqueue(send: Send, id: str, now: datetime) -> Extract:
    try:
        return _job_in(send(requests.enqueue_export(id)))
    except Refused as error:
        if error.code == "1029" and "already" in error.message.lower():
            return status(send, id)
        raise _no_room(error, now) from error


def status(send: Send, id: str) -> Extract:
    return _job_in(send(requests.export_status(id)))


def _no_room(error: Refused, now: datetime) -> ConnectorError:
    """1029 means a full queue or a spent day; only its words tell which."""
    if error.code != "1029":
        return error
    if "quota" in error.message.lower():
        until = codes.next_quota(now)
        return QuotaSpent(error.message, code=error.code, until=until, request_id=error.request_id)
    return Throttled(error.message, code=error.code, until=now + _QUEUE_PAUSE, request_id=error.request_id)


def _job_in(answer: Answer) -> Extract:
    result = responses.envelope(answer).result
    if not result:
        raise Malformed("The answer about an extract is empty.")
    return job(result[0])


def job(row: Any) -> Extract:
    """The state of a job. Raises ``Malformed`` for a state nobody knows."""
    read = mapping(row)
    word = str(read.get("status") or "")
    state = _STATES.get(word.lower())
    if state is None or not read.get("exportId"):
        raise Malformed(f"An extract answered with the state {word!r}.")
    return Extract(
        id=str(read["exportId"]),
        state=state,
        size=_number(read.get("fileSize")),
        records=_number(read.get("numberOfRecords")),
        checksum=str(read.get("fileChecksum") or ""),
        message=str(read.get("errorMsg") or ""),
    )


def read(download: Download, wanted: Sequence[str], columns: Columns, start: int = 0) -> Iterator[tuple[Record, int]]:
    """Records from a byte offset on, each with the offset behind it; offset 0 is the header's.

    Only the fields wanted are kept, so that a person looks the same as when read by id.
    """
    lines = _lines(download, 0, HEAD_BYTES if start else RANGE_BYTES)
    head = next(lines, None)
    if head is None:
        return
    header = _header(head[0], wanted)
    kinds = {name: values.kind_of(columns, name) for name in wanted}
    if start > head[1]:
        lines.close()
        lines = _lines(download, start)
    for line, end in lines:
        if _STRAY.sub(b"", line).strip():
            yield _record(line, header, kinds), end


def _lines(download: Download, start: int, size: int = RANGE_BYTES) -> Generator[tuple[bytes, int], None, None]:
    """Raw records with the offset behind each, over any borders between ranges."""
    buffer, offset, done = b"", start, False
    while not done:
        chunk, done = _part(download(offset + len(buffer), size), offset + len(buffer))
        buffer += chunk
        position = 0
        while end := _end(buffer, position):
            yield buffer[position:end], offset + end
            position = end
        buffer, offset = buffer[position:], offset + position
        if len(buffer) > LONGEST_RECORD:
            raise Malformed("A quote in the extract's file never closes.", code="file")
    if buffer:
        if _end(buffer + b"\n", 0) != len(buffer) + 1:
            raise Malformed("The extract's file ends inside a quoted value.", code="file")
        yield buffer + b"\n", offset + len(buffer)


def _part(answer: Answer, start: int) -> tuple[bytes, bool]:
    """The bytes from ``start`` on, and whether the file ends with them."""
    if answer.status == 404:
        raise Unavailable("The extract's file is not there (yet).", code="404")
    if answer.status == 416:
        return b"", True
    if answer.status == 200:  # the range was ignored: this is the whole file
        return answer.body[start:], True
    first, total = _content_range(answer)
    if first != start:
        raise Malformed(f"Asked for the file from byte {start}, got it from {first}.", code="file")
    # A server may send less than was asked for; an empty part would be asked for without end.
    return answer.body, start + len(answer.body) >= total or not answer.body


def _content_range(answer: Answer) -> tuple[int, int]:
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("content-range", "").strip())
    if not match:
        raise Malformed("A part of the file came without saying which part it is.", code="file")
    return int(match[1]), int(match[2])


def _header(line: bytes, wanted: Sequence[str]) -> list[str]:
    known = names_by_fold(["id", "updatedAt", *wanted])
    names = [(_cell(cell) or "").strip().removeprefix("\ufeff") for cell in _cells(line)]
    unknown = [name for name in names if name.casefold() not in known]
    if unknown or "id" not in {name.casefold() for name in names}:
        raise Malformed(f"The extract's file has the columns {names[:20]!r}.", code="file")
    return [known[name.casefold()] for name in names]


def _record(line: bytes, header: Sequence[str], kinds: Mapping[str, Kind | None]) -> Record:
    cells = _cells(line)
    read = {name: _cell(cell) for name, cell in zip(header, cells, strict=False)}
    ref = Ref(Table.PERSON, person_id(read.get("id")))
    if len(cells) != len(header):
        return Record(ref, {})  # no cell can be told from another: all that is known is that the person exists
    kept: dict[str, Raw] = {
        name: values.from_csv(text, kinds[name]) for name, text in read.items() if text is not None and name in kinds
    }
    return Record(ref, kept, modified_at=values.instant(read.get("updatedAt")))


def _end(buffer: bytes, position: int) -> int:
    """Where the record that begins at ``position`` ends; 0 if its end has not arrived yet."""
    line = buffer.find(b"\n", position) + 1
    if not line or buffer.find(b'"', position, line) < 0:
        return line
    while position < len(buffer):
        border = _border(buffer, position)
        if border < 0 or buffer[border] == _NEWLINE:
            return border + 1
        position = border + 1
    return 0


def _border(buffer: bytes, position: int) -> int:
    """Where the comma or the line's end behind the cell at ``position`` stands; -1 if it has not arrived yet."""
    opening = _OPENING.match(buffer, position)
    if opening is not None:
        position = _closing(buffer, opening.end()) + 1
    found = _BORDER.search(buffer, position) if opening is None or position else None
    return found.start() if found is not None else -1


def _closing(buffer: bytes, position: int) -> int:
    """Where the quote that closes a cell stands; -1 if it, or the byte that tells it from a doubled one, is missing."""
    while (quote := buffer.find(b'"', position)) >= 0:
        if quote + 1 == len(buffer):
            return -1
        if buffer[quote + 1] != _QUOTE:
            return quote
        position = quote + 2
    return -1


def _cells(line: bytes) -> list[bytes]:
    cells, position = [], 0
    while position < len(line):
        border = _border(line, position)
        cells.append(line[position:border])
        position = border + 1
    return cells


def _cell(cell: bytes) -> str | None:
    """The text of a cell, or None if it is not UTF-8: such a value is unknown, not empty."""
    text = _STRAY.sub(b"", cell) if not cell.lstrip(b"\x00\r").startswith(b'"') else _unquoted(cell)
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _unquoted(cell: bytes) -> bytes:
    inner, _, behind = cell.partition(b'"')[2].rpartition(b'"')
    return inner.replace(b'""', b'"').replace(b"\x00", b"") + _STRAY.sub(b"", behind)


def _number(value: Any) -> int:
    return values.whole(value) or 0
