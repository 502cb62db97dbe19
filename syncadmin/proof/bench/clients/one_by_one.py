"""One record at a time through the clients most people take: read Dynamics, look up in Marketo, write what differs.

Run by the case `baselines` in a venv of its own. One JSON document on stdin
(addresses, pairs of names), one on stdout.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from types import SimpleNamespace
from typing import Any

from azure.core.credentials import AccessToken
from marketorestpython.client import MarketoClient
from marketorestpython.helper import http_lib
from PowerPlatform.Dataverse.client import DataverseClient


class Secret:
    """Signs in with a client secret at whatever address the sandbox has."""

    def __init__(self, authority: str) -> None:
        self._address = f"{authority}/sandbox/oauth2/v2.0/token"

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        asked = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
        body = urllib.parse.urlencode({**asked, "scope": " ".join(scopes)}).encode()
        with urllib.request.urlopen(self._address, body, timeout=30) as answer:  # noqa: S310
            told = json.load(answer)
        return AccessToken(told["access_token"], int(time.time()) + int(told["expires_in"]))


def main() -> None:
    wanted = json.load(sys.stdin)
    if not wanted["paced"]:
        http_lib.time = SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    there, here = dataverse(wanted["dynamics"]), marketo(wanted["marketo"])
    begun, cpu, done = time.perf_counter(), time.process_time(), 0
    for table, names in wanted["pairs"].items():
        left = wanted["people"] - done
        for row in there.records.list(table, select=[column for column, _ in names], top=left) if left else ():
            one(here, table, row, names)
            done += 1
    seconds = time.perf_counter() - begun
    json.dump({"people": done, "seconds": seconds, "cpu": time.process_time() - cpu}, sys.stdout)


def dataverse(address: str) -> DataverseClient:
    client = DataverseClient("https" + address.removeprefix("http"), Secret(address))
    # It takes no plain http, which is what the sandbox speaks on this machine.
    client._base_url = address
    return client


def marketo(address: str) -> MarketoClient:
    client = MarketoClient("sandbox", "sandbox", "sandbox-secret")
    client.host = address
    return client


def one(here: MarketoClient, table: str, row: Any, names: list[list[str]]) -> None:
    """Looks one person up by e-mail address and tells Marketo what differs, and the id."""
    email = row["emailaddress1"]
    fields = ",".join(["id", *(name for _, name in names)])
    found = here.get_multiple_leads_by_filter_type("email", [email], fields=fields)
    person = found[0] if found else {}
    plain = [(column, name) for column, name in names if isinstance(row.get(column), str)]
    told = {name: row[column] for column, name in plain if row[column] != person.get(name)}
    told |= {"email": email, "dynPersonGuid": row[f"{table}id"], "dynPersonType": table.title()}
    answer = here.create_update_leads([told], action="createOrUpdate", lookupField="email")
    if answer[0]["status"] not in ("created", "updated"):
        raise RuntimeError(f"Marketo did not take {email}: {answer}")


if __name__ == "__main__":
    main()
