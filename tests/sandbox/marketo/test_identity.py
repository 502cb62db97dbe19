"""Sign-in: one token until it runs out, refusals without an envelope."""

from tests.sandbox.marketo.conftest import Client, Clock

TOKEN = "/identity/oauth/token"
GOOD = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
PEOPLE = "/rest/v1/leads/partitions.json"


def test_the_same_token_comes_again_with_the_seconds_left(sandbox, clock: Clock):
    client = Client(sandbox)
    first = client.get(TOKEN, **GOOD)
    assert first.json["token_type"] == "bearer"
    assert first.json["expires_in"] == 3599
    assert first.json["scope"] == "sandbox@sandbox.example"
    assert first.json["access_token"].endswith(":sj")
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["Pragma"] == "no-cache"
    clock.tick(3596)
    again = client.get(TOKEN, **GOOD).json
    assert again["access_token"] == first.json["access_token"]
    assert again["expires_in"] == 4
    clock.tick(4)
    assert client.get(TOKEN, **GOOD).json["access_token"] != first.json["access_token"]


def test_post_and_form_body_are_accepted_too(sandbox):
    client = Client(sandbox)
    assert "access_token" in client.call("POST", TOKEN, GOOD).json
    assert "access_token" in client.form(TOKEN, GOOD).json


def test_bad_credentials_are_401_without_an_envelope(sandbox):
    client = Client(sandbox)
    stranger = client.get(TOKEN, **GOOD | {"client_id": "who"})
    assert stranger.status == 401
    assert stranger.json == {"error": "unauthorized", "error_description": "No client with requested id: who"}
    guess = client.get(TOKEN, **GOOD | {"client_secret": "guess"})
    assert (guess.status, guess.json["error"]) == (401, "invalid_client")
    other = client.get(TOKEN, **GOOD | {"grant_type": "password"})
    assert (other.status, other.json["error"]) == (400, "unsupported_grant_type")


def test_no_unknown_and_expired_tokens_have_their_own_codes(sandbox, client: Client, clock: Clock):
    assert Client(sandbox).get(PEOPLE).code == "603"
    assert Client(sandbox, "nonsense").get(PEOPLE).code == "601"
    clock.tick(3600)
    assert client.get(PEOPLE).code == "602"
    clock.tick(3601)
    assert client.get(PEOPLE).code == "601"


def test_tokens_can_be_made_to_expire_and_to_live_shorter(sandbox, client: Client, clock: Clock):
    sandbox.expire_tokens()
    assert client.get(PEOPLE).code == "602"
    sandbox.set_knobs(token_lifetime=5)
    client.sign_in()
    assert client.get(PEOPLE).result
    clock.tick(5)
    assert client.get(PEOPLE).code == "602"


def test_the_token_as_a_parameter_needs_the_switch(sandbox, client: Client):
    bare = Client(sandbox)
    assert bare.get(PEOPLE, access_token=client.token).code == "603"
    sandbox.set_knobs(token_in_query=True)
    assert bare.get(PEOPLE, access_token=client.token).result[0]["name"] == "Default"


def test_extracts_need_the_permission_for_what_they_extract(sandbox, client: Client):
    day = {"createdAt": {"startAt": "2026-03-04T00:00:00Z", "endAt": "2026-03-05T00:00:00Z"}}
    people = ("/bulk/v1/leads/export", {"fields": ["id"], "filter": day})
    activities = ("/bulk/v1/activities/export", {"filter": day})
    for missing, refused, allowed in (("Lead", people, activities), ("Activity", activities, people)):
        sandbox.set_knobs(missing_permissions={f"Read-Only {missing}", f"Read-Write {missing}"})
        assert client.post(f"{refused[0]}/create.json", refused[1]).code == "603"
        assert client.get(f"{refused[0]}.json").code == "603"
        assert client.post(f"{allowed[0]}/create.json", allowed[1]).result[0]["status"] == "Created"
    assert client.get("/bulk/v1/unheard/export.json").code == "610"


def test_lists_belong_to_the_people_not_to_the_assets(sandbox, client: Client):
    sandbox.set_knobs(missing_permissions={"Read-Only Assets", "Read-Write Assets"})
    listed = client.get("/rest/v1/lists.json").result
    assert client.get(f"/rest/v1/lists/{listed[0]['id']}.json").result == listed[:1]
    assert client.get("/rest/asset/v1/staticLists.json").code == "603"
    sandbox.set_knobs(missing_permissions={"Read-Only Lead", "Read-Write Lead"})
    assert client.get("/rest/v1/lists.json").code == "603"


def test_a_call_without_a_token_is_nobodys(sandbox, client: Client):
    Client(sandbox).get(PEOPLE)
    usage = client.get("/rest/v1/stats/usage.json").result[0]
    assert (usage["total"], usage["users"]) == (0, [])
    assert client.get("/rest/v1/stats/errors.json").result[0]["errors"] == [{"errorCode": "603", "count": 1}]


def test_a_missing_permission_is_603_and_writing_includes_reading(sandbox, client: Client):
    sandbox.set_knobs(missing_permissions={"Read-Only Lead"})
    assert client.get(PEOPLE).result
    sandbox.set_knobs(missing_permissions={"Read-Only Lead", "Read-Write Lead"})
    assert client.get(PEOPLE).code == "603"
    assert client.post("/rest/v1/leads.json", {"input": [{"email": "a@b.example"}]}).code == "603"
    assert list(sandbox.rows("person")) == []


def test_identity_calls_cost_nothing(sandbox, client: Client):
    for _ in range(5):
        client.sign_in()
    assert client.get("/rest/v1/stats/usage.json").result[0]["total"] == 0
