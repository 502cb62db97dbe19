"""What people do over there, the web page, the control addresses, and what survives a restart."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.dynamics.errors import ApiError

from .conftest import BASE


def test_a_person_works(org: Any) -> None:
    lead = org.create("lead", {"lastname": "Solheim", "revenue": "12.5", "companyname": "F"})
    assert org.get("lead", lead)["revenue"] == Decimal("12.5000")
    org.edit("lead", lead, {"jobtitle": "Boss"}, by="rival")
    users = {row["fullname"]: row["systemuserid"] for row in org.rows("systemuser")}
    org.assign("lead", lead, users["Mei Lin"])
    assert org.get("lead", lead)["ownerid"] == users["Mei Lin"]
    made = org.qualify(lead)
    assert org.get("contact", made["contact"])["originatingleadid"] == lead
    org.deactivate("contact", made["contact"])
    assert org.get("contact", made["contact"])["statecode"] == 1
    org.reactivate("contact", made["contact"])
    assert org.get("contact", made["contact"])["statuscode"] == 1
    org.delete("contact", made["contact"])
    assert org.get("contact", made["contact"]) is None
    assert {each.who for each in org.truth.of("lead", lead)} == {"person", "rival", "system"}


def test_a_person_is_validated_too(org: Any) -> None:
    before = org.truth.last_id
    with pytest.raises(ApiError) as caught:
        org.create("lead", {"jobtitle": "x" * 101})
    assert caught.value.code == "0x80044331"
    assert (list(org.rows("lead")), org.truth.last_id) == ([], before)


def test_merge_by_hand(org: Any) -> None:
    winner, loser = org.create("contact", {"lastname": "A"}), org.create("contact", {"lastname": "B"})
    org.merge("contact", winner, loser)
    assert (org.get("contact", loser)["merged"], org.get("contact", loser)["masterid"]) == (True, winner)


def test_load_goes_on_after_a_bad_row(org: Any) -> None:
    refused = org.load("lead", [{"lastname": "A"}, {"lastname": "x" * 51}, {"lastname": "B"}])
    assert [position for position, _ in refused] == [1]
    assert sorted(row["lastname"] for row in org.rows("lead")) == ["A", "B"]
    assert org.truth.writes("load") == 2


def test_what_is_loaded_may_have_been_modified_long_ago(org: Any, clock: Any) -> None:
    org.load("lead", [{"lastname": "Old"}], days_ago=30)
    org.load("lead", [{"lastname": "New"}])
    modified = {row["lastname"]: datetime.fromisoformat(row["modifiedon"]) for row in org.rows("lead")}
    assert modified["New"] - modified["Old"] == timedelta(days=30)


def test_the_same_seed_gives_the_same_ids(clock: Any) -> None:
    ids = {DynamicsSandbox(clock=clock, seed=seed, base_url=BASE).create("lead", {}) for seed in (1, 1, 2)}
    assert len(ids) == 2


def test_everything_survives_a_restart(clock: Any, tmp_path: Path) -> None:
    path = tmp_path / "dynamics.db"
    first = DynamicsSandbox(clock=clock, path=path, base_url=BASE)
    kept, gone = first.create("lead", {"lastname": "A"}), first.create("lead", {"lastname": "B"})
    first.delete("lead", gone)
    first.add_column("lead", "nvk_new", type="String", length=5)
    first.configure(org_read=False)
    # The first one is not closed: what was acknowledged is there although the process went away.
    second = DynamicsSandbox(clock=clock, path=path, base_url=BASE)
    assert [row["leadid"] for row in second.rows("lead")] == [kept]
    assert [each.action for each in second.truth.of("lead", gone)][-1] == "delete"
    assert second.truth.writes("person") == first.truth.writes("person")
    assert second.settings["org_read"] is False
    second.edit("lead", kept, {"nvk_new": "x"})
    assert second.get("lead", kept)["versionnumber"] > first.get("lead", kept)["versionnumber"]
    assert second.create("lead", {}) not in (kept, gone)


def test_deltas_survive_a_restart(clock: Any, tmp_path: Path) -> None:
    def read(org: DynamicsSandbox, query: str) -> dict[str, Any]:
        found: list[bytes] = []
        token = org.signin._issue("sandbox", BASE)
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/data/v9.2/leads", "QUERY_STRING": query, "HTTP_HOST": "org.test",
                   "HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_PREFER": "odata.track-changes", "wsgi.input": io.BytesIO()}  # fmt: skip
        found += org(environ, lambda *_: None)
        body: dict[str, Any] = json.loads(b"".join(found))
        return body

    path = tmp_path / "dynamics.db"
    first = DynamicsSandbox(clock=clock, path=path, base_url=BASE)
    kept, gone = first.create("lead", {"lastname": "A"}), first.create("lead", {"lastname": "B"})
    query = read(first, "$select=lastname")["@odata.deltaLink"].partition("?")[2]
    first.delete("lead", gone)
    first.edit("lead", kept, {"lastname": "C"})
    second = DynamicsSandbox(clock=clock, path=path, base_url=BASE)
    value = read(second, query)["value"]
    assert [row.get("lastname", row.get("reason")) for row in value] == ["C", "deleted"]


def test_the_page_lists_searches_and_pages(api: Any, org: Any) -> None:
    org.load("lead", ({"lastname": f"Person {number:03}", "subject": "s"} for number in range(60)))
    org.create("lead", {"lastname": "<script>alert(1)</script>"})
    page = api.client.get("/").text
    assert page.count("<tr>") == 51
    assert "Next page" in page
    found = api.client.get("/", params={"q": "person 007"}).text
    assert found.count("<tr>") == 2
    found = api.client.get("/", params={"q": "script"}).text
    assert "<script>" not in found
    assert "&lt;script&gt;alert(1)" in found


def test_the_page_writes_as_a_person(api: Any, org: Any) -> None:
    answer = api.client.post(
        "/record",
        data={
            "do": "save",
            "entity": "lead",
            "id": "",
            "subject": " Topic ",
            "lastname": "A",
            "leadsourcecode": "7",
            "new_synctomkto": "1",
        },
    )
    assert answer.status_code == 303
    row = next(org.rows("lead"))
    assert (row["subject"], row["leadsourcecode"], row["new_synctomkto"]) == ("Topic", 7, True)
    assert org.truth.of("lead", row["leadid"])[0].who == "person"
    page = api.client.get("/record", params={"entity": "lead", "id": row["leadid"]}).text
    assert 'value="Topic"' in page
    refused = api.client.post("/record", data={"do": "save", "entity": "lead", "id": row["leadid"], "lastname": " "})
    assert "required" in refused.headers["Location"]
    assert org.get("lead", row["leadid"])["lastname"] == "A"
    last = org.truth.last_id
    api.client.post(
        "/record", data={"do": "save", "entity": "lead", "id": row["leadid"], "lastname": "A", "subject": "Topic"}
    )
    assert org.truth.last_id == last, "nothing changed, nothing written"
    for do in ("deactivate", "reactivate", "qualify"):
        api.client.post("/record", data={"do": do, "entity": "lead", "id": row["leadid"]})
    assert org.get("lead", row["leadid"])["statecode"] == 1
    assert (
        api.client.post("/record", data={"do": "delete", "entity": "lead", "id": row["leadid"]}).headers["Location"]
        == "/?entity=lead"
    )
    assert org.get("lead", row["leadid"]) is None


def test_control_over_http(api: Any, org: Any) -> None:
    client = api.client
    id = client.post("/_sandbox/create", json={"entity": "lead", "values": {"lastname": "A"}}).json()["id"]
    assert (
        client.post(
            "/_sandbox/edit", json={"entity": "lead", "id": id, "changes": {"lastname": "B"}, "by": "rival"}
        ).status_code
        == 200
    )
    lines = [json.loads(line) for line in client.get("/_sandbox/truth?since=0").text.splitlines() if line]
    assert lines[-2] | {"id": 0} == lines[-2] | {"id": 0, "who": "rival", "field": "lastname", "old": "A", "new": "B"}
    since = client.get(f"/_sandbox/truth?since={lines[-2]['id']}").text
    assert len(since.splitlines()) == 1
    assert client.get("/_sandbox/rows?entity=lead").json()["lastname"] == "B"
    assert client.post("/_sandbox/faults", json=[{"kind": "unavailable"}]).json() == {"waiting": 1}
    assert api.get("WhoAmI").status_code == 503
    client.post("/_sandbox/faults", json=[{"kind": "unavailable"}])
    assert client.delete("/_sandbox/faults").json() == {"waiting": 0}
    assert client.post("/_sandbox/qualify", json={"lead_id": id}).json()["result"].keys() == {"account", "contact"}
    assert client.post("/_sandbox/limits", json={"enforced": True, "requests": 10}).json()["requests"] == 10
    assert client.get("/_sandbox/limits").json() == {"enforced": True, "refused": {}}
    assert (
        client.post(
            "/_sandbox/load", json={"entity": "contact", "rows": [{"lastname": "L"}, {"lastname": "x" * 99}]}
        ).json()["loaded"]
        == 1
    )
    assert client.post("/_sandbox/delete", json={"entity": "lead", "id": id}).status_code == 200
    assert org.get("lead", id) is None


def test_control_refuses(api: Any, org: Any) -> None:
    client = api.client
    assert client.post("/_sandbox/faults", json=[{"kind": "nonsense"}]).status_code == 400
    assert client.post("/_sandbox/edit", json={"entity": "lead", "id": "x", "changes": {}}).status_code == 400
    assert (
        client.post("/_sandbox/create", json={"entity": "lead", "values": {"jobtitle": "x" * 101}}).json()["error"][
            "code"
        ]
        == "0x80044331"
    )
    assert client.get("/_sandbox/nothing").status_code == 404
    found: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/_sandbox/truth",
        "REMOTE_ADDR": "203.0.113.9",
        "wsgi.input": io.BytesIO(),
    }
    org(environ, lambda status, headers: found.append(status))
    assert found == ["403 Forbidden"]
