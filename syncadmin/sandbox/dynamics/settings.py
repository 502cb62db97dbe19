"""Switches of the organisation that an administrator, or a test, may turn. Kept in the store."""

from __future__ import annotations

from typing import Any

from syncadmin.sandbox.storage import Store

DEFAULTS: dict[str, Any] = {
    "org_read": True,  # the sync user may read whole tables; false: change tracking is refused
    "missing": [],  # privileges the sync user lacks, such as "prvCreateLead"
    "signin_refuses": 0,  # the AADSTS number every sign-in is refused with
    "duplicate_rules": ["lead:lead", "lead:contact", "contact:contact", "contact:lead", "account:account"],
    "vetoes": [],  # {"entity", "column", "value", "message"}: a plug-in refuses that value
    "rewrites": [],  # {"entity", "column", "value", "to"}: a plug-in writes something else right after
    "locked": [],  # ids whose writes run into the SQL timeout
    "secured": {},  # {"lead": {"jobtitle": ["read", "create", "update"]}}: denied to the sync user
    "roleless": [],  # systemuser ids that may own nothing
    "closed_readonly": False,  # closed leads and inactive contacts refuse updates
    "delta_floor": {},  # table to the oldest version a delta token may carry
    "schema_expires_delta": True,  # a column change expires the table's delta tokens
    "page_rows": 5000,  # most rows in a page of a tracked read; the server may give fewer than asked for
    "clock_ahead": 0.0,  # seconds by which the server's clock, as told in Date, is ahead of the sandbox's
    "latency": 0.0,  # seconds each request takes
    "latency_per_row": 0.0,  # and each row in it
    "limits": {"requests": 6000, "seconds": 1200.0, "concurrent": 52, "window": 300.0, "servers": 2, "dop": 4},
}


class Settings:
    """Reads fall back to `DEFAULTS`; an unknown name is a KeyError."""

    def __init__(self, store: Store) -> None:
        self._kept = store.table("settings")

    def __getitem__(self, name: str) -> Any:
        return self._kept.get(name, DEFAULTS[name])

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in DEFAULTS:
            raise KeyError(name)
        self._kept[name] = value

    def all(self) -> dict[str, Any]:
        return {name: self[name] for name in DEFAULTS}
