from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs

from syncadmin.connectors.contract import ActivityType, NewField
from syncadmin.connectors.marketo import requests
from syncadmin.connectors.messages import Request

SINCE = datetime(2026, 3, 4, 11, 0, 0, 731000, tzinfo=timezone(timedelta(hours=2)))
KIND = ActivityType("dynSync", "Dynamics", "fires", "filters", ("result", "Result"), (("runId", "Run", "string"),))


def fields_of(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_people_are_read_by_a_post_that_means_get() -> None:
    request = requests.leads_by("id", ["1", "2"], ["id", "email"], "TOKEN==")
    assert (request.method, request.path) == ("POST", "/rest/v1/leads.json?_method=GET")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.repeatable
    assert fields_of(request) == {
        "filterType": "id",
        "filterValues": "1,2",
        "fields": "id,email",
        "batchSize": "300",
        "nextPageToken": "TOKEN==",
    }


def test_special_letters_of_an_address_survive_the_form() -> None:
    request = requests.leads_by("email", ["a+b&c@x.example"], ["id"])
    assert fields_of(request)["filterValues"] == "a+b&c@x.example"
    assert b"&c@" not in request.body


def test_a_long_list_of_changed_fields_goes_into_the_body() -> None:
    request = requests.lead_changes("T", [f"field{number}" for number in range(1000)])
    assert request.path == "/rest/v1/activities/leadchanges.json?_method=GET"
    assert request.repeatable
    assert len(fields_of(request)["fields"].split(",")) == 1000


def test_a_write_is_not_repeatable_and_outlasts_the_servers_own_limit() -> None:
    request = requests.write_leads("createOnly", "email", [b'{"email":"a@b.c"}'], "EMEA")
    assert not request.repeatable
    assert request.timeout > 90
    assert json.loads(request.body) == {
        "action": "createOnly",
        "lookupField": "email",
        "partitionName": "EMEA",
        "input": [{"email": "a@b.c"}],
    }


def test_without_a_partition_none_is_named() -> None:
    assert b"partitionName" not in requests.write_leads("updateOnly", "id", [b'{"id":1}']).body


def test_times_are_sent_in_utc_with_whole_seconds() -> None:
    assert requests.paging_token(SINCE).path == (
        "/rest/v1/activities/pagingtoken.json?sinceDatetime=2026-03-04T09%3A00%3A00Z"
    )
    assert requests.paging_token(SINCE).timeout > 300


def test_a_paging_token_is_escaped() -> None:
    assert "nextPageToken=GIYD%3D%3D" in requests.deleted_leads("GIYD==").path


def test_merges_and_list_additions_share_one_stream() -> None:
    assert "activityTypeIds=32%2C24" in requests.activities("T", [32, 24]).path


def test_an_export_names_fields_format_and_window() -> None:
    request = requests.create_export(["id", "email"], SINCE, SINCE + timedelta(days=1))
    assert request.path == "/bulk/v1/leads/export/create.json"
    assert json.loads(request.body) == {
        "fields": ["id", "email"],
        "format": "CSV",
        "filter": {"createdAt": {"startAt": "2026-03-04T09:00:00Z", "endAt": "2026-03-05T09:00:00Z"}},
    }


def test_a_file_is_read_in_ranges_without_compression() -> None:
    request = requests.export_file("c1d1", 100, 50)
    assert request.headers["Range"] == "bytes=100-149"
    assert request.headers["Accept-Encoding"] == "identity"
    assert {404, 416} <= request.accepts


def test_ids_in_a_path_are_escaped() -> None:
    assert requests.members("../x").path.startswith("/rest/v1/lists/..%2Fx/leads.json?")


def test_fields_and_types_are_described_as_marketo_wants_them() -> None:
    body = json.loads(requests.create_fields([NewField("dynDeleted", "Dynamics is Deleted", "boolean", "d")]).body)
    assert body == {
        "input": [
            {"displayName": "Dynamics is Deleted", "name": "dynDeleted", "dataType": "boolean", "description": "d"}
        ]
    }
    kind = json.loads(requests.create_type(KIND).body)
    assert kind["primaryAttribute"]["apiName"] == "result"
    assert (kind["apiName"], kind["triggerName"], kind["filterName"]) == ("dynSync", "fires", "filters")
    added = json.loads(requests.create_attributes("dynSync", KIND.attributes).body)
    assert added["attributes"][0] == {"apiName": "runId", "name": "Run", "description": "", "dataType": "string"}


def test_the_secret_of_a_token_request_is_not_in_its_loggable_part() -> None:
    request = requests.token("me", "s&cret")
    assert request.path.partition("?")[0] == "/identity/oauth/token"
    assert "s%26cret" in request.path
    assert not request.signed


def test_timestamps_need_no_zone_of_their_own() -> None:
    assert requests.timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
