"""Nonsense in an address is answered: with the page, a redirect or a refusal, never with a crash."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from syncadmin.store.models import Conflict, Decision, Failure, Link, Run
from tests.web.people import CITY, TITLE, World

# Whatever any page reads from its address, on every page.
NAMES = (
    "q", "state", "sort", "after", "before", "kind", "side", "field", "key", "winner", "rule", "person", "since",
    "until", "from", "to", "show", "cause", "table", "shape", "format", "span", "seen", "who", "action", "marketo",
    "default", "direction", "change", "row", "first", "second", "next", "option-1", "given", "version",
)  # fmt: skip
# Whatever any page reads from a form, but for addresses of systems: those would be called.
SENT = (
    "act", "which", "chosen", "back", "sure", "choice", "winner", "given", "table", "choose", "remove", "q", "show",
    "shown", "action", "quota", "list_id", "time_zone", "several", "first_contact", "partition", "filter_column", "role",
    "name", "email", "zone", "active", "state", "key", "person", "since", "until", "kind", "shape", "cause", "side",
    "username", "password", "new_password1", "new_password2", "marketo", "default", "direction", "option-1", "new_label",
    "wait", "marketo_since", "alarm_failures", "backlog_minutes", "language", "next", "accept",
)  # fmt: skip
WORDS = (
    "", "\0", "a\0b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "-1", "0", "00", "1e9", "٣", "²",
    "9" * 18, "9" * 19, str(2**63), "-" + "9" * 30, "9" * 5_000, "x" * 5_000, "'\"><script>alert(1)</script>", "%", "_",
    "\\", "0001-01-01", "9999-12-31", "2026-13-45", "10000-01-01", "end", "csv", "json", "all", "{}", "[]", "null",
    "lead", "jobtitle", "sandbox", "again", "save", "open", "oldest", "recent", "\N{ZERO WIDTH JOINER}\N{RIGHT-TO-LEFT OVERRIDE}", "王 \U0001f9d1", "a b c d e f g h",
    "{" + str(uuid.UUID(int=0)) + "}",
)  # fmt: skip
# What stands in the address as the place to go on from, before it is packed.
PLACES = (
    '["", 0]', '["0001-01-01T00:00:00+14:00", 1]', '["9999-12-31T23:59:59-14:00", 1]', '["2026-01-01", 1]',
    '["x\\u0000", 1]', '["2026-01-01T00:00:00", 18446744073709551616]', '[1, "x"]', '[1, "x\\u0000"]', '[-1, ""]',
    '["zz", "a", "c", 1]', '["name", "a", "c", -1]', '["infinity", 1]', '["\\ud800", 1]', '[1, "\\ud800"]', '[1.5, 1]',
    '["\\ud800", "\\ud800", "\\ud800", 1]', "[true, 1]", "[NaN, 1]", "[null, null]", "[[], []]", "{}", "[" * 2_000,
    "[" * 50_000, "9" * 5_000, '["' + "x" * 5_000 + '", 1]',
)  # fmt: skip
PARTS = {
    "int": ("0", "1", "999999999", str(2**31), str(2**63 - 1), str(2**63), "9" * 400),
    "uuid": (str(uuid.UUID(int=0)), str(uuid.UUID(int=2**128 - 1))),
    "slug": ("too_long", "nothing", "-", "x" * 3_000, "dynamics", "marketo"),
    "str": ("lead", "contact", "person", "jobtitle", "nothing", "x" * 3_000, "%00", "%FF", "%20", "..", "王"),
}


def _patterns(resolver: URLResolver) -> Iterable[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry)
        else:
            yield entry


PAGES = sorted({str(pattern.pattern) for pattern in _patterns(get_resolver())})


@pytest.fixture
def ada_at_work(ada: Client, world: World) -> Client:
    """An administrator in front of a sync that has something of everything."""
    world.connected()
    world.fields()
    link, run = world.linked(), world.run()
    world.failure(link, key=TITLE, run=run, message="</script><img src=x>")
    world.failure(cause="too_long")
    world.conflict(link, run=run)
    world.conflict(link, key=CITY, state="open", winner="", run=run, at=world.now - timedelta(days=1))
    world.decision(link=link, facts={"candidates": [{"table": "person", "id": "1", "name": "x", "email": "y"}]})
    world.line(link, "updated", side="marketo", changes=[[TITLE, "a", "b", "one_sided"]], run=run)
    world.in_dynamics("Alone there")
    world.in_marketo("Alone here")
    return ada


def _address(page: str, number: int) -> str:
    """The page with its parts filled in; the ``number`` chooses what with."""
    found = f"/{page}"
    while "<" in found:
        head, _, rest = found.partition("<")
        part, _, tail = rest.partition(">")
        kind = part.partition(":")[0]
        words = PARTS[kind]
        found = f"{head}{words[number % len(words)]}{tail}"
        number = number // len(words) + number
    return found


def _ask(client: Client, address: str, **headers: str) -> None:
    answer = client.get(address, headers=headers)
    if isinstance(answer, StreamingHttpResponse):
        b"".join(answer)  # type: ignore[arg-type]
    assert answer.status_code < 500, address[:300]
    assert b"<script>alert(1)" not in (b"" if answer.streaming else answer.content), address[:300]


def _real(page: str) -> str:
    """The page of something that is there."""
    rows = {"link": Link, "failures/<int:pk>": Failure, "decisions/<int:pk>": Decision, "conflicts/<int:pk>": Conflict}
    rows |= {"runs/<int:pk>": Run, "users/<int:pk>": User}
    found = next((rows[name].objects.values_list("pk", flat=True).first() for name in rows if name in page), 1)
    words = {"int": str(found), "uuid": str(uuid.UUID(int=0x5EED << 64 | 7)), "slug": "too_long", "str": "x"}
    words |= {"slug:side": "dynamics", "str:table": "lead", "str:column": "jobtitle"}
    return "/" + re.sub("<(([a-z]+):[a-z]+)>", lambda part: words.get(part[1], words[part[2]]), page)


@pytest.mark.parametrize("page", PAGES)
def test_no_part_of_a_path_crashes_a_page(ada_at_work: Client, page: str) -> None:
    for number in range(4 if "<" in page else 1):
        _ask(ada_at_work, _address(page, number))


@pytest.mark.parametrize("page", PAGES)
def test_no_query_crashes_a_page(ada_at_work: Client, page: str) -> None:
    address = _real(page)
    if ada_at_work.get(address).status_code != 200:
        return
    # Every word comes to stand behind every name, each beside other ones.
    for number in range(0, len(WORDS), 3):
        mixed = (f"{name}={quote(WORDS[(number + 5 * at) % len(WORDS)])}" for at, name in enumerate(NAMES))
        _ask(ada_at_work, f"{address}?{'&'.join(mixed)}", **({"HX-Request": "true"} if number % 2 else {}))


@pytest.mark.parametrize("page", PAGES)
def test_no_form_crashes_a_page(ada_at_work: Client, page: str) -> None:
    address = _real(page)
    for number in range(0, len(WORDS), 6):
        sent = {name: WORDS[(number + 5 * at) % len(WORDS)] for at, name in enumerate(SENT)}
        # Half of them get as far as they can.
        known = {"act": "other", "which": "all", "table": "lead", "winner": "ask"} if number % 4 else {}
        answer = ada_at_work.post(address, {**sent, **known})
        assert answer.status_code < 500, sent
        if answer.status_code == 405:
            return


@pytest.mark.parametrize("page", ["people/", "conflicts/", "setup/preview/changes/"])
def test_no_place_to_go_on_from_crashes_a_list(ada_at_work: Client, page: str) -> None:
    for place in PLACES:
        packed = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
        for others in ("", "sort=oldest", "sort=recent", "q=ada"):
            _ask(ada_at_work, f"/{page}?{others}&after={packed}")
            _ask(ada_at_work, f"/{page}?{others}&before={packed}")
