"""Checklist 13: three counters per user and web server, Retry-After, the odd header format, latency per row."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from syncadmin.sandbox.dynamics import DynamicsSandbox

from .conftest import BASE, Api, Clock, code


def test_requests_in_the_window(api: Any, org: Any, clock: Any) -> None:
    org.set_limits(enforced=True, requests=5, servers=1)
    left = [api.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    answer = api.get("WhoAmI")
    assert code(answer) == (429, "0x80072322")
    assert (
        answer.json()["error"]["message"]
        == "Number of requests exceeded the limit of 5 over time window of 300 seconds."
    )
    wait = int(answer.headers["Retry-After"])
    assert 295 <= wait <= 300
    longer = int(api.get("WhoAmI").headers["Retry-After"])
    assert longer > wait, "pushing on makes it worse"
    clock.forward(seconds=longer + 1)
    assert api.get("WhoAmI").status_code == 200


def test_combined_execution_time(api: Any, org: Any, clock: Any) -> None:
    org.configure(latency=10.0, latency_per_row=0.5)
    org.set_limits(enforced=True, seconds=25.0, servers=1)
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}
    started = clock.now
    answer = api.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [kind] * 20})
    assert (clock.now - started).total_seconds() == 20
    assert answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"] == "5.00"
    assert api.get("WhoAmI").status_code == 200
    answer = api.get("WhoAmI")
    assert code(answer) == (429, "0x80072321")
    assert answer.json()["error"]["message"].startswith(
        "Combined execution time of incoming requests exceeded limit of 25,000 milliseconds"
    )


def test_at_once(clock: Clock) -> None:
    waiting, go = threading.Barrier(3), threading.Event()

    def sleep(seconds: float) -> None:
        waiting.wait(5)
        go.wait(5)

    org = DynamicsSandbox(clock=clock, base_url=BASE, limits=True, sleep=sleep)
    org.set_limits(concurrent=2, servers=1)
    org.configure(latency=1.0)

    def ask() -> httpx.Response:
        with httpx.Client(transport=httpx.WSGITransport(app=org), base_url=BASE) as client:
            api = Api(client)
            api.sign_in()
            return api.get("WhoAmI")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    waiting.wait(5)
    answer = ask()
    go.set()
    for thread in threads:
        thread.join(5)
    assert code(answer) == (429, "0x80072326")
    assert answer.headers["Retry-After"]


def test_the_cookie_pins_one_server_and_none_spreads(api: Any, org: Any) -> None:
    org.set_limits(enforced=True, requests=3, servers=4)
    pinned = {"Cookie": "ARRAffinity=server2"}
    assert [api.get("WhoAmI", **pinned).status_code for _ in range(4)] == [200, 200, 200, 429]
    cookies = {api.get("WhoAmI").headers["Set-Cookie"] for _ in range(8)}
    assert len(cookies) > 1


def test_a_batch_counts_once(api: Any, org: Any) -> None:
    org.set_limits(enforced=True, requests=2, servers=1)
    part = "Content-Type: application/http\r\n\r\nGET RetrieveVersion HTTP/1.1\r\n\r\n"
    body = "".join(f"--b\r\n{part}\r\n" for _ in range(10)) + "--b--\r\n"
    sent = {"Content-Type": "multipart/mixed; boundary=b"}
    assert api.client.post("/api/data/v9.2/$batch", content=body.encode(), headers=sent).status_code == 200
    assert api.get("WhoAmI").status_code == 200
    assert api.get("WhoAmI").status_code == 429


def test_without_limits_nothing_is_refused(api: Any, org: Any) -> None:
    org.set_limits(requests=1, servers=1)
    assert [api.get("WhoAmI").status_code for _ in range(3)] == [200] * 3
