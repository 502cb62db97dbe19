"""A threaded HTTP/1.1 server for WSGI applications: keep-alive, chunked requests, gzip answers, honest cuts."""

from __future__ import annotations

import gzip
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from .faults import Cut

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# Below this a compressed answer is no shorter, so the vendors' gateways leave it alone too.
_WORTH_ZIPPING = 1024
_NO_BODY = ("1", "204", "304")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one piece; without this each answer waits for the peer's delayed ACK (40 ms).
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def handle_any(self) -> None:
        try:
            body = self._request_body()
        except ValueError:
            self.send_error(400)
            return
        answer = _Answer()
        try:
            answer.body = b"".join(self.server.app(self._environ(body), answer.start))
        except Cut as cut:
            self._cut(cut)
            return
        self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any

    def _request_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self.rfile.readline().split(b";")[0].strip(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "iso-8859-1"),
            "RAW_URI": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.server.scheme,
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else "HTTP_" + key
            if key != "HTTP_CONTENT_LENGTH":
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _send(self, answer: _Answer) -> None:
        code, _, reason = answer.status.partition(" ")
        headers, body = answer.headers, answer.body
        if self._may_zip(code, headers, body):
            body = gzip.compress(body, 1, mtime=0)
            headers = [*headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        self.send_response_only(int(code), reason)
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if not code.startswith(_NO_BODY):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and not code.startswith(_NO_BODY):
            self.wfile.write(body)

    def _may_zip(self, code: str, headers: list[tuple[str, str]], body: bytes) -> bool:
        if len(body) < _WORTH_ZIPPING or code != "200" or "gzip" not in self.headers.get("Accept-Encoding", ""):
            return False
        return not {name.lower() for name, _ in headers} & {"content-encoding", "content-range", "accept-ranges"}

    def _cut(self, cut: Cut) -> None:
        self.close_connection = True
        if cut.status:
            code, _, reason = cut.status.partition(" ")
            self.send_response_only(int(code), reason)
            for name, value in cut.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(cut.part)
            self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent: the truth log is the record, and thousands of lines would hide what matters."""


class _Answer:
    """What the application said through `start_response`."""

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status, self.headers = status, headers


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app: WsgiApp, address: tuple[str, int], tls: ssl.SSLContext | None) -> None:
        self.app = app
        self.scheme = "https" if tls else "http"
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)
        if tls:
            # The handshake belongs to the connection's thread: a silent client must not stop the others.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError | ssl.SSLError | ValueError | OSError):
            super().handle_error(request, client_address)


class Server:
    """A running listener. `url` has no trailing slash."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self.host, self.port = listener.server_address[:2]
        self.url = f"{listener.scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and drop open connections; safe to call twice."""
        self._listener.shutdown()
        self._listener.server_close()
        for connection in list(self._listener.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join(5)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(app: WsgiApp, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Server:
    """Serve `app` in a background thread; port 0 takes a free one. Raises OSError if the port is taken."""
    return Server(_Listener(app, (host, port), tls))
