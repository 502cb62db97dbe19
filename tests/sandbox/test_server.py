"""The server over real sockets: keep-alive, chunks, gzip, cuts, TLS, and a stop that leaves nothing open."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncadmin.sandbox import Cut, tls
from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.server import Server, serve

from .dynamics.conftest import Api, Clock


def echo(environ: dict[str, Any], start: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    match environ["PATH_INFO"]:
        case "/nothing":
            start("204 No Content", [("X-Method", environ["REQUEST_METHOD"])])
            return []
        case "/cut":
            raise Cut
        case "/middle":
            raise Cut("200 OK", [("Content-Length", "100")], b"abc")
        case "/long":
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"long " * 1000]
        case "/range":
            start("206 Partial Content", [("Content-Range", "bytes 0-1999/5000")])
            return [b"x" * 2000]
    start("200 OK", [("X-Prefer", environ.get("HTTP_PREFER", "")), ("X-Method", environ["REQUEST_METHOD"])])
    return [body]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(echo) as server:
        yield server


def test_one_connection_carries_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port)
    sockets = set()
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        connection.request(method, "/", body=b"hello")
        answer = connection.getresponse()
        assert (answer.headers["X-Method"], answer.read(), answer.headers["Content-Length"]) == (method, b"hello", "5")
        sockets.add(connection.sock)
    connection.request("DELETE", "/nothing")
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["Content-Length"]) == (204, b"", None)
    connection.request("HEAD", "/long")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Content-Length"]) == (b"", "5000")
    assert len(sockets) == 1
    connection.close()


def test_chunked_requests(server: Server) -> None:
    assert httpx.post(server.url, content=iter([b"one ", b"two"])).content == b"one two"


def test_gzip_only_when_asked_and_never_on_ranges(server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port)
    for path, asked, zipped in (
        ("/long", "gzip, deflate", True),
        ("/long", "identity", False),
        ("/range", "gzip", False),
        ("/", "gzip", False),
    ):
        connection.request("GET", path, headers={"Accept-Encoding": asked})
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.headers["Content-Encoding"] == "gzip") is zipped
        assert answer.headers["Content-Length"] == str(len(body))
        if zipped:
            assert gzip.decompress(body) == b"long " * 1000
    connection.close()


def test_repeated_headers_are_joined(server: Server) -> None:
    answer = httpx.get(server.url, headers=[("Prefer", "a"), ("Prefer", "b=1")])
    assert answer.headers["X-Prefer"] == "a,b=1"


@pytest.mark.parametrize("path", ["/cut", "/middle"])
def test_a_cut_is_a_broken_connection(server: Server, path: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url + path)
    assert httpx.get(server.url).status_code == 200


def test_a_stop_closes_the_port_and_open_connections() -> None:
    server = serve(echo)
    connection = socket.create_connection((server.host, server.port))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    server.close()
    connection.settimeout(5)
    while connection.recv(1000):
        pass
    connection.close()
    with pytest.raises(OSError):
        socket.create_connection((server.host, server.port), 1)


def test_a_taken_port_says_so(server: Server) -> None:
    with pytest.raises(OSError):
        serve(echo, port=server.port)


def test_tls_with_a_kept_authority(tmp_path: Path) -> None:
    for _ in range(2):
        context = tls.context(tmp_path)
        trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        with serve(echo, tls=context) as server, httpx.Client(verify=trust) as client:
            assert client.post(f"https://localhost:{server.port}/", content=b"x").content == b"x"
            assert client.post(server.url, content=b"y").content == b"y"
    first = (tmp_path / "ca.pem").read_bytes()
    tls.context(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == first
    assert (tmp_path / "ca-key.pem").stat().st_mode & 0o077 == 0


def test_the_dynamics_side_over_real_http() -> None:
    org = DynamicsSandbox(clock=Clock(), base_url="http://127.0.0.1:0")
    with serve(org) as server, httpx.Client(base_url=server.url) as client:
        api = Api(client)
        api.sign_in(scope=f"{server.url}/.default")
        id = api.create("leads", lastname="Ærøskøbing 😀", emailaddress1="o'x@x.example")
        found = api.values("leads?$select=lastname&$filter=emailaddress1 eq 'o''x@x.example'")
        assert [row["leadid"] for row in found] == [id]
        assert found[0]["lastname"] == "Ærøskøbing 😀"
        body = api.get("leads?$select=lastname", Prefer="odata.track-changes").json()
        assert body["@odata.deltaLink"].startswith(f"{server.url}/api/data/v9.2/leads?")
        api.delete(f"leads({id})")
        assert api.get(body["@odata.deltaLink"]).json()["value"][0]["reason"] == "deleted"
        org.faults.add({"kind": "timeout_after"})
        with pytest.raises(httpx.RemoteProtocolError):
            api.post("leads", {"lastname": "B"})
        assert [row["lastname"] for row in org.rows("lead")] == ["B"]
