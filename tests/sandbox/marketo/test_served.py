"""The same over real HTTP: keep-alive, gzip, cuts, and the webhook to a real listener."""

import gzip
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.sandbox.server import Server, serve

SIGN_IN = "/identity/oauth/token?grant_type=client_credentials&client_id=sandbox&client_secret=sandbox-secret"


@pytest.fixture
def served() -> Iterator[tuple[MarketoSandbox, Server]]:
    sandbox = MarketoSandbox(clock=lambda: datetime.now(UTC), seed=1, base_url="http://127.0.0.1")
    with serve(sandbox) as server:
        yield sandbox, server
    sandbox.close()


def ask(connection, method, path, body=None, **headers):
    if isinstance(body, dict):
        body, headers["Content-Type"] = json.dumps(body), "application/json"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def test_a_session_over_one_connection(served):
    _, server = served
    connection = http.client.HTTPConnection(server.host, server.port)
    token = json.loads(ask(connection, "GET", SIGN_IN)[1])["access_token"]
    auth = {"Authorization": f"Bearer {token}"}
    rows = [{"email": f"p{n}@x.example", "firstName": "Žaneta 🌻"} for n in range(50)]
    _, said = ask(connection, "POST", "/rest/v1/leads.json", {"input": rows}, **auth)
    assert len(json.loads(said)["result"]) == 50
    answer, body = ask(connection, "GET", "/rest/v1/leads/describe.json", **auth, **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(body))["result"]) == 126
    form = urlencode({"filterType": "id", "filterValues": "1000", "fields": "firstName"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    _, body = ask(connection, "POST", "/rest/v1/leads.json?_method=GET", form, **auth, **kind)
    assert json.loads(body)["result"] == [{"id": 1000, "firstName": "Žaneta 🌻"}]
    connection.close()


def test_a_timeout_after_applying_closes_the_line(served):
    sandbox, server = served
    sandbox.faults.add({"kind": "timeout_after", "path": "/rest/v1/leads.json"})
    connection = http.client.HTTPConnection(server.host, server.port)
    token = json.loads(ask(connection, "GET", SIGN_IN)[1])["access_token"]
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(
            connection,
            "POST",
            "/rest/v1/leads.json",
            {"input": [{"email": "a@x.example"}]},
            Authorization=f"Bearer {token}",
        )
    assert len(list(sandbox.rows("person"))) == 1
    connection.close()


def test_the_webhook_reaches_a_real_listener_that_calls_back(served):
    """The receiver reads the person while the flow step waits: no lock may be held meanwhile."""
    sandbox, server = served
    sandbox.create("person", {"email": "a@x.example"})

    def receiver(environ, start):
        person = json.loads(environ["wsgi.input"].read())["personId"]
        connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
        _, body = ask(connection, "GET", f"/_sandbox/row?id={person}")
        connection.close()
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"status": "created", "email": json.loads(body)["email"]}).encode()]

    with serve(receiver) as ours:
        sandbox.state.webhooks["Sync Person to Microsoft"] |= {"url": ours.url + "/hook"}
        outcome = sandbox.sync_person(1000)
    assert json.loads(outcome.body) == {"status": "created", "email": "a@x.example"}
    nobody = sandbox.sync_person(1000)
    assert (nobody.status, nobody.reason) == (0, "Connection failed")
