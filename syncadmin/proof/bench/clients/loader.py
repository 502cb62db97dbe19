"""Read and store, nothing else: both systems' people into PostgreSQL by a generic loader.

Run by the case `baselines` in a venv of its own. One JSON document on stdin
(addresses, field names, a database), one on stdout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers import requests


def main() -> None:
    wanted = json.load(sys.stdin)
    pipeline = dlt.pipeline(
        "baseline", destination=dlt.destinations.postgres(wanted["database"]), dataset_name="baseline",
        pipelines_dir=wanted["folder"],
    )  # fmt: skip
    begun, cpu = time.perf_counter(), time.process_time()
    pipeline.run([*(rows(wanted, table) for table in wanted["pairs"]), people(wanted)])
    seconds = time.perf_counter() - begun
    counted = pipeline.last_trace.last_normalize_info.row_counts
    stored = {name: count for name, count in counted.items() if not name.startswith("_")}
    json.dump({"rows": stored, "seconds": seconds, "cpu": time.process_time() - cpu}, sys.stdout)


def rows(wanted: Any, table: str) -> Any:
    def read() -> Iterator[Any]:
        address = wanted["dynamics"]
        asked = {
            "grant_type": "client_credentials",
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "scope": f"{address}/.default",
        }
        token = requests.post(f"{address}/sandbox/oauth2/v2.0/token", data=asked).json()["access_token"]
        columns = ",".join(column for column, _ in wanted["pairs"][table])
        follow = f"{address}/api/data/v9.2/{table}s?$select={columns}"
        while follow:
            page = requests.get(follow, headers={"Authorization": f"Bearer {token}"}).json()
            yield [{name: value for name, value in row.items() if "@" not in name} for row in page["value"]]
            follow = page.get("@odata.nextLink")

    return dlt.resource(read, name=table, primary_key=f"{table}id", write_disposition="merge")


def people(wanted: Any) -> Any:
    def read() -> Iterator[Any]:
        address = wanted["marketo"]
        asked = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
        token = requests.get(f"{address}/identity/oauth/token", params=asked).json()["access_token"]
        fields = ",".join(["id", *{name for names in wanted["pairs"].values() for _, name in names}])
        for start in range(0, len(wanted["ids"]), 300):
            ids = ",".join(wanted["ids"][start : start + 300])
            body = {"_method": "GET", "filterType": "id", "filterValues": ids, "fields": fields}
            yield requests.post(
                f"{address}/rest/v1/leads.json", data=body, headers={"Authorization": f"Bearer {token}"}
            ).json()["result"]

    return dlt.resource(read, name="person", primary_key="id", write_disposition="merge")


if __name__ == "__main__":
    main()
