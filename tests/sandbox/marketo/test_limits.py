"""Rate, concurrency, daily quota, and the statistics that show them."""

import threading
from datetime import UTC, datetime

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.sandbox.marketo import MarketoSandbox
from tests.sandbox.marketo.conftest import Client, Clock

PATH = "/rest/v1/leads/partitions.json"


@pytest.fixture
def strict(clock: Clock) -> Client:
    sandbox = MarketoSandbox(clock=clock, seed=7, base_url="http://marketo.test", limits=True)
    return Client(sandbox).sign_in()


def test_a_hundred_calls_in_any_twenty_seconds(strict: Client, clock: Clock):
    for number in range(100):
        assert strict.get(PATH).result
        clock.tick(0.1 if number < 50 else 0)
    refused = strict.get(PATH)
    assert refused.status == 200
    assert refused.error == {"code": "606", "message": "Max rate limit '100' exceeded with in '20' secs"}
    clock.tick(20.1)
    assert strict.get(PATH).result


def test_without_limits_nothing_is_refused(client: Client):
    for _ in range(150):
        assert client.get(PATH).result
    assert client.get("/rest/v1/stats/usage.json").result[0]["total"] == 150


def test_the_quota_turns_at_midnight_us_central(strict: Client, clock: Clock):
    strict.app.set_limits(True, daily=5, rate_calls=1000)
    clock.now = datetime(2026, 3, 5, 5, 59, 0, tzinfo=UTC)  # 23:59 in Chicago
    strict.sign_in()
    for _ in range(5):
        assert strict.get(PATH).result
    assert strict.get(PATH).error == {"code": "607", "message": "Daily quota reached"}
    clock.tick(60)
    assert strict.get(PATH).result


def test_starred_errors_cost_nothing(strict: Client, clock: Clock):
    stranger = Client(strict.app, "nonsense")
    for _ in range(3):
        assert stranger.get(PATH).code == "601"
    assert strict.call("PUT", PATH).code == "605"
    assert strict.get("/rest/v1/nothing.json").code == "610"
    usage = strict.get("/rest/v1/stats/usage.json").result[0]
    assert usage == {"date": "2026-03-04", "total": 1, "users": [{"userId": "sandbox@sandbox.example", "count": 1}]}
    errors = strict.get("/rest/v1/stats/errors.json").result[0]
    assert errors["total"] == 5
    assert {"errorCode": "601", "count": 3} in errors["errors"]


def test_seven_days_of_statistics(client: Client, clock: Clock):
    for _ in range(9):
        client.sign_in()
        client.get(PATH)
        clock.tick(86400)
    client.sign_in()
    days = client.get("/rest/v1/stats/usage/last7days.json").result
    assert [row["date"] for row in days] == [
        "2026-03-12",
        "2026-03-11",
        "2026-03-10",
        "2026-03-09",
        "2026-03-08",
        "2026-03-07",
    ]
    assert client.get("/rest/v1/stats/errors/last7days.json").result[0]["total"] == 0


def test_ten_calls_at_once(clock: Clock):
    inside, go_on = threading.Semaphore(0), threading.Event()

    def sleep(_: float) -> None:
        inside.release()
        go_on.wait(10)

    sandbox = MarketoSandbox(clock=clock, seed=7, base_url="http://marketo.test", limits=True, sleep=sleep)
    client = Client(sandbox).sign_in()
    sandbox.faults.add(Fault("slow", path="/rest/*", times=10, value=5))
    threads = [threading.Thread(target=client.get, args=(PATH,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=10)
    assert client.get(PATH).error == {"code": "615", "message": "Concurrent access limit '10' reached"}
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert client.get(PATH).result
