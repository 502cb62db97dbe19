"""Change tracking: the first full read, delta links, and what makes them expire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote

from . import errors
from .query import MOST, check_options, cookie, open_cookie, page_size, selected, with_option
from .render import METADATA_VERSION, Annotations, Renderer
from .schema import Table
from .settings import Settings
from .state import Row, State
from .wire import Request

_FORBIDDEN = ("$filter", "$orderby", "$expand", "$top")
_TOKEN = re.compile(r"(\d+)!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")


def wanted(request: Request) -> bool:
    """Whether this read is tracked: by Prefer, by a delta token, or as the next page of one that is."""
    token = request.options.get("$skiptoken", "")
    tracked = "odata.track-changes" in request.prefer or 'istracking="True"' in token
    return tracked or "$deltatoken" in request.options


def write_token(version: int, when: datetime) -> str:
    return f"{version}%21{when:%m%%2f%d%%2f%Y}%20{when:%H%%3a%M%%3a%S}"


class Tracking:
    """One tracked GET. Pages of one read share the version at which its first page was given."""

    def __init__(
        self, state: State, settings: Settings, table: Table, request: Request, hidden: frozenset[str]
    ) -> None:
        self._state, self._settings, self._table, self._request = state, settings, table, request
        self._allowed()
        self._columns = selected(table, request.options.get("$select"))
        self._annotations = Annotations.read(request.annotations)
        self._renderer = Renderer(state, table, self._columns, self._annotations, hidden)
        self._size = min(page_size(request) or MOST, settings["page_rows"])

    def _allowed(self) -> None:
        check_options(self._request)
        for name in _FORBIDDEN:
            if name in self._request.options:
                message = f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
                raise errors.invalid(message)
        if not self._table.tracked:
            raise errors.not_tracked(self._table.name)
        if not self._settings["org_read"]:
            table, user = self._table, self._request.actor.user
            raise errors.no_privilege(user, f"prvRead{table.schema}", table.name, table.code, table.label)

    def page(self) -> dict[str, Any]:
        if "$skiptoken" in self._request.options:
            number, state, _ = open_cookie(self._request.options["$skiptoken"])
            if "last" in state:
                self._fresh(state["upto"], None)
                return self._full(number, state["upto"], state["last"])
            self._fresh(state["since"], None)
            return self._delta(number, state["since"], state["upto"], state["at"])
        if "$deltatoken" in self._request.options:
            # The end is fixed with the first page: what changes during the read belongs to the next one.
            return self._delta(1, self._since(), self._state.version, 0)
        return self._full(1, self._state.version, "")

    def count(self) -> int:
        since, upto = self._since(), self._state.version
        return min(len(self._entries(since, upto)), MOST)

    def _since(self) -> int:
        text = unquote(self._request.options["$deltatoken"])
        match = _TOKEN.fullmatch(text)
        if not match:
            raise errors.invalid("The delta token is malformed.")
        try:
            when = datetime.strptime(match.group(2), "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            raise errors.invalid("The delta token is malformed.") from None
        return self._fresh(int(match.group(1)), when)

    def _fresh(self, version: int, when: datetime | None) -> int:
        """The version, if a token that carries it may still be used."""
        # A version from the future was given by an organisation whose state is gone: its reader must start anew.
        if version < self._settings["delta_floor"].get(self._table.name, 0) or version > self._state.version:
            raise errors.token_expired()
        if when is not None:
            organization = next(iter(self._state.rows("organization").values()))
            if self._state.clock() - when > timedelta(days=organization["expirechangetrackingindays"]):
                raise errors.token_expired()
        return version

    def _head(self, tail: str) -> dict[str, Any]:
        names = ",".join(column.wire for column in self._columns or ())
        shape = f"({names})" if names else ""
        body = {"@odata.context": f"{self._request.root}$metadata#{self._table.set}{shape}{tail}"}
        if METADATA_VERSION in self._annotations:
            body[f"@{METADATA_VERSION}"] = str(self._state.schema.version)
        return body

    def _full(self, number: int, upto: int, last: str) -> dict[str, Any]:
        body, more = self._head(""), False
        rows: list[Row] = []
        for row in self._state.after(self._table.name, last):
            if len(rows) == self._size:
                more = True
                break
            rows.append(row)
        link: dict[str, Any] = {"last": rows[-1][self._table.id], "upto": upto} if more else {}
        self._link(body, number, link, upto)
        body["value"] = [self._renderer.row(row) for row in rows]
        return body

    def _delta(self, number: int, since: int, upto: int, start: int) -> dict[str, Any]:
        body, entries = self._head("/$delta"), self._entries(since, upto, start, self._size)
        chunk = entries[: self._size]
        link: dict[str, Any] = {}
        if len(entries) > self._size:
            # Deleted entries come behind all others, so their place counts from above the highest version.
            link = {"since": since, "upto": upto, "at": self._place(chunk[-1], upto)}
        self._link(body, number, link, upto)
        body["value"] = [self._show(entry) for entry in chunk]
        return body

    def _entries(self, since: int, upto: int, start: int = 0, most: int = MOST) -> list[tuple[int, str, Row | None]]:
        """New and updated rows by version, then deleted ones, those behind place `start`; one more than `most` at least."""
        found: list[tuple[int, str, Row | None]] = []
        if start <= upto:
            found += islice(self._state.changed(self._table.name, max(since, start), upto), most + 1)
        if len(found) > most:
            return found
        gone_after = since if start <= upto else start - upto
        found += [(version, id, None) for version, id in self._state.gone(self._table.name, gone_after, upto)]
        return found

    @staticmethod
    def _place(entry: tuple[int, str, Row | None], upto: int) -> int:
        version, _, row = entry
        return version if row is not None else upto + version

    def _link(self, body: dict[str, Any], number: int, next_page: dict[str, Any], upto: int) -> None:
        if next_page:
            token = cookie(number + 1, next_page, True)
            body["@odata.nextLink"] = with_option(self._request, self._table.set, "$skiptoken", token)
        else:
            token = write_token(upto, self._state.clock())
            body["@odata.deltaLink"] = with_option(self._request, self._table.set, "$deltatoken", token)

    def _show(self, entry: tuple[int, str, Row | None]) -> dict[str, Any]:
        _, id, row = entry
        if row is not None:
            return self._renderer.row(row)
        return {
            "@odata.context": f"{self._request.root}$metadata#{self._table.set}/$deletedEntity",
            "id": id,
            "reason": "deleted",
        }
