"""Trigger campaigns and webhooks, up to the flow step "Sync Person to Microsoft"."""

import http.client
import json

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.sandbox.marketo.webhooks import pick
from tests.sandbox.marketo.conftest import Client, Clock


class Receiver:
    """The other end of a webhook: keeps what came, says what it was told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], bytes, float]] = []
        self.answer: tuple[int, str, bytes] | Exception = (200, "OK", b'{"status":"created","crmId":"7b0e"}')

    def __call__(self, *call):
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def body(self):
        return json.loads(self.calls[-1][3])


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(clock: Clock, receiver: Receiver) -> MarketoSandbox:
    made = MarketoSandbox(
        clock=clock, seed=7, base_url="http://marketo.test", send=receiver, webhook_url="http://us.test/hook"
    )
    made.create("person", {"email": "ines@x.example", "firstName": 'Ines "Ini"', "lastName": "Kallas"})
    return made


def last(sandbox):
    row = sandbox.activities_of(1000)[0]
    assert row["t"] == 110
    return row


def test_the_flow_step_calls_our_webhook_and_is_logged(sandbox, receiver):
    outcome = sandbox.sync_person(1000, "contact", "m.tamm@x.example")
    method, url, headers, _, seconds = receiver.calls[0]
    assert (method, url, seconds) == ("POST", "http://us.test/hook", 30)
    assert headers == {"Content-Type": "application/json", "X-Sync-Key": "sandbox-secret"}
    assert receiver.body == {
        "personId": 1000,
        "email": "ines@x.example",
        "campaignId": 2210,
        "campaign": "Fast Track to Sales",
        "syncAs": "contact",
        "assignTo": "m.tamm@x.example",
    }
    assert (outcome.status, json.loads(outcome.body)["status"]) == (200, "created")
    row = last(sandbox)
    assert (row["p"], row["c"], row["a"]["Error Type"]) == ("Sync Person to Microsoft", 2210, "OK")
    assert "created" in row["a"]["Response"]


def test_failures_are_logged_and_not_repeated(sandbox, receiver):
    for answer, said in (
        ((503, "Service Unavailable", b"busy"), "Service Unavailable"),
        (TimeoutError(), "Timeout"),
        (ConnectionRefusedError(), "Connection failed"),
        (http.client.BadStatusLine("?"), "Invalid response"),
        ((200, "OK", b""), "1001"),
    ):
        receiver.answer = answer
        sandbox.sync_person(1000)
        assert last(sandbox)["a"]["Error Type"] == said
    assert len(receiver.calls) == 5


def test_an_unknown_person_is_not_called_for(sandbox, receiver):
    assert sandbox.sync_person(99) is None
    assert receiver.calls == []


def test_answers_are_mapped_to_fields_by_soap_name(sandbox, receiver):
    sandbox.add_field("dynPersonGuid", "Dynamics Person GUID")
    mappings = {"crmId": "dynPersonGuid", "deep.list[1].n": "Title", "bad": "AnnualRevenue"}
    sandbox.add_webhook("Ours", url="http://us.test/{{lead.Id}}", template="{}", mappings=mappings)
    sandbox.add_campaign("Mapped", "changed", [{"do": "webhook", "name": "Ours"}], field="leadStatus")
    receiver.answer = (200, "OK", b'{"crmId":"7b0e","deep":{"list":[0,{"n":"Buyer"}]},"bad":"many"}')
    sandbox.edit("person", 1000, {"leadStatus": "Open"})
    assert sandbox.run_campaigns() == 1
    assert receiver.calls[-1][1] == "http://us.test/1000"
    row = sandbox.get("person", 1000)
    assert (row["dynPersonGuid"], row["title"]) == ("7b0e", "Buyer")
    assert "annualRevenue" not in row
    receiver.answer = (500, "Oops", b'{"crmId":"other"}')
    sandbox.edit("person", 1000, {"leadStatus": "Closed"})
    sandbox.run_campaigns()
    assert sandbox.get("person", 1000)["dynPersonGuid"] == "7b0e"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (None, '1000 "Ines "Ini"" "" "Sir" "2026-03-04"'),
        ("json", '1000 "Ines \\"Ini\\"" "" "Sir" "2026-03-04"'),
        ("form", "1000 Ines+%22Ini%22  Sir 2026-03-04"),
    ],
)
def test_tokens_and_their_encodings(sandbox, receiver, encoding, expected):
    template = "{{lead.Id}} {{lead.First Name}} {{lead.Job Title}} {{lead.Salutation:default=Sir}} {{system.date}}"
    sandbox.add_webhook("T", url="http://us.test", template=template, encoding=encoding)
    sandbox.add_campaign("T", "changed", [{"do": "webhook", "name": "T"}], field="city")
    sandbox.edit("person", 1000, {"city": "Riga"})
    sandbox.run_campaigns()
    assert receiver.calls[-1][3].decode() == expected


def test_a_changed_value_lets_people_into_a_campaign(sandbox, receiver):
    sandbox.edit("person", 1000, {"leadStatus": "Open"})
    assert sandbox.run_campaigns() == 0
    sandbox.edit("person", 1000, {"leadStatus": "Sales Ready"})
    assert sandbox.run_campaigns() == 1
    assert receiver.body["campaignId"] == 2211
    assert sandbox.run_campaigns() == 0


def test_a_requested_campaign_takes_its_tokens_along(sandbox, receiver):
    client = Client(sandbox).sign_in()
    body = {"input": {"leads": [{"id": 1000}], "tokens": [{"name": "{{my.syncAs}}", "value": "contact"}]}}
    assert client.post("/rest/v1/campaigns/2210/trigger.json", body).result == [{"id": 2210}]
    assert receiver.calls == []
    assert sandbox.run_campaigns(at_once=20) == 1
    assert receiver.body["syncAs"] == "contact"


def test_flow_steps_change_fields_and_lists_as_a_campaign(sandbox):
    steps = [{"do": "change", "field": "rating", "value": "Hot"}, {"do": "list", "list": 1207}]
    id = sandbox.add_campaign("Rate", "changed", steps, field="city")
    sandbox.edit("person", 1000, {"city": "Riga"})
    sandbox.run_campaigns()
    added, changed = sandbox.activities_of(1000)[:2]
    assert (added["t"], added["c"]) == (24, id)
    assert changed["a"]["Source"] == "Marketo Flow Action"
    assert changed["a"]["Reason"] == "Changed by Smart Campaign Spring Webinar.Rate action Change Data Value"
    assert sandbox.truth.of("person", "1000")[-2].who == "campaign"


def test_paths_into_an_answer():
    answer = {"a": {"b": [{"c": 1}]}}
    assert pick(answer, "a.b[0].c") == 1
    assert pick(answer, "a.b[3].c") is None
    assert pick(answer, "a.x.c") is None
