"""A webhook is called once, with the rules for addresses of every other call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from syncadmin.connectors import webhook
from syncadmin.connectors.errors import ConnectorError, Refused, Unavailable


class Receiver(BaseHTTPRequestHandler):
    """Writes down what arrives; its path says what it answers."""

    got: list[tuple[str, str, dict[str, object]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers.get("X-Key", ""), json.loads(body)))
        status = int(self.path.strip("/").partition("?")[0] or 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.got = []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def post(address: str, *, allow_private: bool = True) -> None:
    webhook.post(
        address,
        {"text": "hé"},
        headers={"X-Key": "hush"},
        allow_private=allow_private,
        clock=lambda: datetime.now(UTC),
        sleep=lambda seconds: None,
    )


def test_it_sends_json_with_the_header_and_the_query(receiver: str) -> None:
    post(f"{receiver}/200?key=1&b=2")
    assert Receiver.got == [("/200?key=1&b=2", "hush", {"text": "hé"})]


def test_the_path_is_often_a_key_and_is_not_logged(receiver: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="syncadmin")
    post(f"{receiver}/200?key=abc")
    assert "POST [hidden] -> 200" in caplog.text
    assert "/200" not in caplog.text


def test_a_refusal_is_an_error_and_is_not_repeated(receiver: str) -> None:
    with pytest.raises(Unavailable, match="HTTP 500"):
        post(f"{receiver}/500")
    with pytest.raises(Refused, match="HTTP 404"):
        post(f"{receiver}/404")
    assert [path for path, _key, _told in Receiver.got][-1] == "/404"
    assert [path for path, _key, _told in Receiver.got].count("/404") == 1


def test_a_redirect_is_not_followed(receiver: str) -> None:
    with pytest.raises(Refused, match="HTTP 302"):
        post(f"{receiver}/302")
    assert len(Receiver.got) == 1


def test_this_machine_is_called_only_when_the_channel_allows_it(receiver: str) -> None:
    with pytest.raises(Refused, match="private network"):
        post(f"{receiver}/200", allow_private=False)
    assert Receiver.got == []


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(ConnectorError):
        post("http://127.0.0.1:9/")
