from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.http import LARGEST_ANSWER, Auth, Http, Work, redacted
from syncadmin.connectors.messages import Answer, Request, read_json
from syncadmin.engine.records import Lane
from tests.connectors.world import START, Clock, Network, Remembering, connection

READ = Request("GET", "api/data/v9.2/WhoAmI")
WRITE = Request("POST", "api/data/v9.2/leads", body=b"{}")
REPEATABLE = Request("POST", "api/data/v9.2/leads", body=b"{}", safe_to_repeat=True)


def ok(text: str = "{}") -> httpx.Response:
    return httpx.Response(200, text=text)


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Tokens(Auth):
    """Hands out numbered tokens."""

    number: int = 1
    works: list[Work] = field(default_factory=list)

    def headers(self, work: Work) -> Mapping[str, str]:
        self.works.append(work)
        return {"Authorization": f"Bearer token-{self.number}"}

    def expired(self, answer: Answer) -> bool:
        return answer.status == 401

    def renew(self, used: Mapping[str, str], work: Work) -> None:
        self.number += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget() -> Remembering:
    return Remembering()


def test_a_path_is_sent_below_the_base_address(clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    connection(network, clock, budget, base_url="https://norvik.crm4.dynamics.com/").send(READ)
    assert str(network.asked[0].url) == "https://norvik.crm4.dynamics.com/api/data/v9.2/WhoAmI"
    assert network.asked[0].headers["User-Agent"].startswith("syncadmin/")
    assert len(network.asked[0].headers["X-Correlation-Id"]) == 36


def test_a_link_is_followed_verbatim(clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    link = "https://norvik.crm4.dynamics.com/api/data/v9.2/leads?$deltatoken=4472188%2102%2f03%2f2026%2009%3a20%3a44&x=a%2Bb"
    connection(network, clock, budget).send(Request("GET", link))
    assert network.asked[0].url.raw_path.decode() == link.removeprefix("https://norvik.crm4.dynamics.com")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/data/v9.2/leads?$deltatoken=1",
        "http://norvik.crm4.dynamics.com/api/data/v9.2/leads",
        "https://norvik.crm4.dynamics.com:8443/api/data/v9.2/leads",
        "https://norvik.crm4.dynamics.com@evil.example/leads",
        "https://norvik.crm4.dynamics.com.evil.example/leads",
        "https://norvik.crm4.dynamics.com\\@evil.example/leads",
    ],
)
def test_a_link_to_another_host_is_refused_and_nothing_is_sent(link: str, clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    with pytest.raises(errors.Refused):
        connection(network, clock, budget).send(Request("GET", link))
    assert network.asked == []


def test_a_link_out_of_the_base_path_is_refused(clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    http = connection(network, clock, budget, base_url="https://proxy.example/norvik")
    http.send(Request("GET", "https://proxy.example/norvik/leads"))
    for link in ("https://proxy.example/other/leads", "https://proxy.example/norvik/../other/leads"):
        with pytest.raises(errors.Refused):
            http.send(Request("GET", link))
    assert len(network.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://norvik.crm4.dynamics.com",
        "ftp://norvik.crm4.dynamics.com",
        "norvik.crm4.dynamics.com",
        "https://user:secret@norvik.crm4.dynamics.com",
        "https://10.0.0.5",
        "https://192.168.1.1",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://[::ffff:10.0.0.5]",
        "https://127.0.0.1",
        "http://127.0.0.1:8101",
        "http://localhost:8101",
        "https://",
        "https://norvik.example/?x=1",
    ],
)
def test_an_address_that_must_not_be_called_is_refused(address: str, clock: Clock, budget: Remembering) -> None:
    with pytest.raises(errors.Refused):
        connection(Network(ok()), clock, budget, base_url=address)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8101", "https://10.0.0.5", "http://localhost:8101", "http://[::1]:1"]
)
def test_private_addresses_pass_when_the_connection_allows_them(
    address: str, clock: Clock, budget: Remembering
) -> None:
    connection(Network(ok()), clock, budget, base_url=address, allow_private=True).send(READ)
    with pytest.raises(errors.Refused):
        connection(Network(ok()), clock, budget, base_url="http://10.0.0.5", allow_private=True)


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(clock: Clock, budget: Remembering) -> None:
    class Stream:
        closed = False

        def get_extra_info(self, name: str) -> tuple[str, int]:
            return ("169.254.169.254", 443)

        def close(self) -> None:
            self.closed = True

    stream = Stream()

    def connecting(request: httpx.Request) -> httpx.Response:
        request.extensions["trace"]("connection.connect_tcp.complete", {"return_value": stream})
        raise AssertionError("sent")

    http = connection(Network(connecting), clock, budget)
    http._watch_peer = True
    with pytest.raises(errors.Refused, match=r"169\.254"):
        http.send(READ)
    assert stream.closed


def test_cookies_are_neither_kept_nor_sent(clock: Clock, budget: Remembering) -> None:
    network = Network(status(200, Set_Cookie="ARRAffinity=abc; path=/"))
    http = connection(network, clock, budget)
    http.send(READ)
    http.send(READ)
    assert "cookie" not in network.asked[1].headers


def test_a_redirect_is_not_followed(clock: Clock, budget: Remembering) -> None:
    network = Network(status(302, Location="https://evil.example/"))
    with pytest.raises(errors.Refused) as caught:
        connection(network, clock, budget).send(READ)
    assert caught.value.code == "302"
    assert len(network.asked) == 1


def test_gzip_is_unpacked(clock: Clock, budget: Remembering) -> None:
    packed = httpx.Response(200, content=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    assert connection(Network(packed), clock, budget).send(READ).object() == {"a": 1}


def test_a_broken_gzip_of_a_write_is_no_answer(clock: Clock, budget: Remembering) -> None:
    network = Network(
        lambda _: httpx.Response(200, stream=httpx.ByteStream(b"nonsense"), headers={"Content-Encoding": "gzip"})
    )
    with pytest.raises(errors.NoAnswer):
        connection(network, clock, budget).send(WRITE)
    assert len(network.asked) == 1


@pytest.mark.parametrize(("request_", "kind"), [(READ, errors.TooLarge), (WRITE, errors.NoAnswer)])
def test_the_size_of_an_answer_is_bounded_after_unpacking(
    request_: Request, kind: type[errors.ConnectorError], clock: Clock, budget: Remembering
) -> None:
    assert LARGEST_ANSWER == 64 * 1024 * 1024
    packed = httpx.Response(200, content=gzip.compress(b"x" * 5000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(kind):
        connection(Network(packed), clock, budget, largest_answer=4999).send(request_)


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")]
)
def test_without_a_connection_even_a_write_is_repeated(fault: Exception, clock: Clock, budget: Remembering) -> None:
    network = Network(fault, ok())
    assert connection(network, clock, budget).send(WRITE).status == 200
    assert len(network.asked) == 2
    with pytest.raises(errors.Unreachable):
        connection(Network(fault), clock, budget).send(WRITE)


@pytest.mark.parametrize(
    "fault", [httpx.ReadTimeout("slow"), httpx.ReadError("cut"), httpx.RemoteProtocolError("cut"), OSError("tls")]
)
def test_a_write_without_an_answer_is_repeated_only_where_the_request_says_so(
    fault: Exception, clock: Clock, budget: Remembering
) -> None:
    network = Network(fault, ok())
    with pytest.raises(errors.NoAnswer):
        connection(network, clock, budget).send(WRITE)
    assert len(network.asked) == 1
    assert connection(Network(fault, ok()), clock, budget).send(REPEATABLE).status == 200
    assert connection(Network(fault, ok()), clock, budget).send(READ).status == 200


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, errors.Refused),
        (401, errors.SignInRefused),
        (403, errors.PermissionMissing),
        (404, errors.Refused),
        (413, errors.TooLarge),
        (429, errors.Throttled),
        (500, errors.Unavailable),
        (502, errors.NoAnswer),
        (503, errors.Unavailable),
        (504, errors.NoAnswer),
    ],
)
def test_a_status_becomes_its_error(
    code: int, kind: type[errors.ConnectorError], clock: Clock, budget: Remembering
) -> None:
    with pytest.raises(errors.ConnectorError) as caught:
        connection(Network(status(code)), clock, budget).send(WRITE)
    assert type(caught.value) is kind
    assert caught.value.code == str(code)


def test_an_accepted_status_is_an_answer(clock: Clock, budget: Remembering) -> None:
    request = Request("GET", "leads(1)", accepts=frozenset({404}))
    assert connection(Network(status(404)), clock, budget).send(request).status == 404


def test_short_advice_is_slept_and_everyone_is_told(clock: Clock, budget: Remembering) -> None:
    network = Network(status(429, Retry_After="7"), ok())
    connection(network, clock, budget).send(WRITE)
    assert 7 <= clock.slept[0] < 8
    assert budget.pauses == [START + timedelta(seconds=7)]


def test_long_advice_is_raised_with_its_time_and_not_slept(clock: Clock, budget: Remembering) -> None:
    with pytest.raises(errors.Throttled) as caught:
        connection(Network(status(429, Retry_After="300")), clock, budget).send(WRITE)
    assert caught.value.until == START + timedelta(seconds=300)
    assert budget.pauses == [START + timedelta(seconds=300)]
    assert clock.slept == []


def test_throttling_without_advice_still_names_a_time(clock: Clock, budget: Remembering) -> None:
    with pytest.raises(errors.Throttled) as caught:
        connection(Network(status(429)), clock, budget).send(WRITE)
    assert caught.value.until == clock.now + timedelta(seconds=30)
    assert len(budget.pauses) == len(budget.calls) == 5


def test_a_deadline_stops_sending_and_waiting(clock: Clock, budget: Remembering) -> None:
    network = Network(status(503))
    http = connection(network, clock, budget).for_work(Work(deadline=clock.now + timedelta(seconds=0.3)))
    with pytest.raises(errors.Unavailable):
        http.send(READ)
    assert clock.slept == []
    clock.sleep(0.28)
    with pytest.raises(errors.DeadlineOver):
        http.send(READ)
    assert len(network.asked) == 1


def test_the_deadline_bounds_the_timeouts(clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    connection(network, clock, budget).for_work(Work(deadline=clock.now + timedelta(seconds=4))).send(READ)
    assert network.asked[0].extensions["timeout"] == {"connect": 4.0, "read": 4.0, "write": 4.0, "pool": 4.0}


def test_a_trickle_ends_when_the_attempt_is_over(clock: Clock, budget: Remembering) -> None:
    class Trickle(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            for _ in range(100):
                clock.sleep(1)
                yield b"x" * 70_000

    network = Network(lambda _: httpx.Response(200, stream=Trickle()))
    with pytest.raises(errors.NoAnswer):
        connection(network, clock, budget).send(Request("POST", "leads", timeout=5))


def test_calls_are_accounted_to_lane_and_purpose(clock: Clock, budget: Remembering) -> None:
    http = connection(Network(ok()), clock, budget).for_work(Work(Lane.BACKFILL, "full read"))
    http.send(READ)
    http.send(Request("GET", "x", purpose="sign-in"))
    assert budget.calls == [(Lane.BACKFILL, "full read"), (Lane.BACKFILL, "sign-in")]


def test_an_expired_token_is_renewed_once(clock: Clock, budget: Remembering) -> None:
    tokens = Tokens()
    network = Network(status(401), ok())
    assert connection(network, clock, budget, auth=tokens).send(WRITE).status == 200
    assert [asked.headers["Authorization"] for asked in network.asked] == ["Bearer token-1", "Bearer token-2"]
    with pytest.raises(errors.SignInRefused):
        connection(Network(status(401)), clock, budget, auth=Tokens()).send(WRITE)


def test_an_unsigned_request_carries_no_token(clock: Clock, budget: Remembering) -> None:
    network = Network(ok())
    connection(network, clock, budget, auth=Tokens()).send(Request("POST", "token", signed=False))
    assert "Authorization" not in network.asked[0].headers


def test_secrets_never_reach_an_error_or_a_log(
    clock: Clock, budget: Remembering, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault = httpx.ConnectError("POST /token?client_secret=hush&x=1 with Bearer hushhush failed")
    with pytest.raises(errors.Unreachable) as caught:
        connection(Network(fault), clock, budget).send(Request("GET", "token?client_secret=hush"))
    assert "hush" not in str(caught.value)
    assert "hush" not in caplog.text
    assert "GET token" in caplog.text
    assert (
        redacted('{"access_token": "abc", "client_secret":"def"}')
        == '{"access_token": "[hidden]", "client_secret":"[hidden]"}'
    )


def test_decimals_keep_every_digit() -> None:
    text = '{"money": 5000000.0000, "tiny": 1e-7, "whole": 3, "yes": true}'
    assert read_json(text) == {"money": "5000000.0000", "tiny": "1e-7", "whole": 3, "yes": True}


@pytest.mark.parametrize("text", ["", "<html>", '{"a": NaN}', "[" * 100_000, '{"a":' + "9" * 5000 + "}", '{"a": 1'])
def test_nonsense_is_malformed(text: str) -> None:
    with pytest.raises(errors.Malformed):
        read_json(text)


def test_characters_that_cannot_be_stored_are_marked_and_emoji_kept() -> None:
    read = read_json(r'{"a": ["x\u0000y", "\ud83d"], "b": "\ud83d\ude00 \u00e9"}')
    assert read == {"a": ["x\ufffey", "\ufffe"], "b": "😀 é"}


def test_a_whole_object_is_asked_for() -> None:
    with pytest.raises(errors.Malformed):
        Answer(200, {}, b"[1]").object()
    assert Answer(200, {}, b'\xef\xbb\xbf{"a": 1}').object() == {"a": 1}


def test_http_is_copied_not_shared_by_work(clock: Clock, budget: Remembering) -> None:
    http: Http = connection(Network(ok()), clock, budget)
    assert http.for_work(Work(Lane.RETRY)).work.lane is Lane.RETRY
    assert http.work.lane is Lane.LIVE
