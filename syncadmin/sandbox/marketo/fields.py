"""Person fields: the standard ones from the data file beside this module and those created by API."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from syncadmin.sandbox.storage import Table

_FIRST_CUSTOM_ID = 1201
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
# "No special characters" is all the documents say; these are the ones the screens accept.
_DISPLAY_NAME = re.compile(r"[\w .\-/()&']+\Z")
# The kinds the vendor lets an API make, with the length its text fields get.
CREATABLE = {
    "boolean": None,
    "currency": None,
    "date": None,
    "datetime": None,
    "email": 255,
    "float": None,
    "integer": None,
    "percent": None,
    "phone": 255,
    "score": None,
    "string": 255,
    "url": 255,
}
_SEARCHABLE = (
    "id",
    "email",
    "cookies",
    "leadPartitionId",
    "facebookId",
    "linkedInId",
    "twitterId",
    "sfdcLeadId",
    "sfdcContactId",
    "sfdcAccountId",
    "sfdcLeadOwnerId",
    "sfdcOpptyId",
)
DEFAULT_FIELDS = ("id", "email", "updatedAt", "createdAt", "firstName", "lastName")


@dataclass(frozen=True, slots=True)
class Field:
    id: int
    name: str
    display: str
    kind: str
    length: int | None
    read_only: bool = False
    kept: bool = False  # the platform maintains it whatever describe says
    company: bool = False
    soap: str | None = None
    custom: bool = False
    api_created: bool = False
    description: str | None = None
    hidden: bool = False
    html_encoding: bool = True
    sensitive: bool = False

    @property
    def searchable(self) -> bool:
        return self.name in _SEARCHABLE or (self.custom and self.kind in ("string", "email", "integer"))

    @property
    def score(self) -> bool:
        """Change Score accompanies its changes."""
        return self.kind == "score" or self.name == "leadScore"

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = {"id": self.id, "displayName": self.display, "dataType": self.kind}
        if self.length is not None:
            found["length"] = self.length
        found["rest"] = {"name": self.name, "readOnly": self.read_only}
        if self.soap:
            found["soap"] = {"name": self.soap, "readOnly": self.read_only}
        return found

    def describe2(self) -> dict[str, Any]:
        found: dict[str, Any] = {"name": self.name, "displayName": self.display, "dataType": self.kind}
        if self.length is not None:
            found["length"] = self.length
        return found | {"updateable": not self.read_only and self.name != "id", "crmManaged": False}

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"displayName": self.display, "name": self.name, "description": self.description}
        found["dataType"] = self.kind
        if self.length is not None:
            found["length"] = self.length
        return found | {
            "isHidden": self.hidden,
            "isHtmlEncodingInEmail": self.html_encoding,
            "isSensitive": self.sensitive,
            "isCustom": self.custom,
            "isApiCreated": self.api_created,
        }


@cache
def _standard() -> tuple[Field, ...]:
    data = json.loads(Path(__file__).with_name("fields.json").read_text())
    # Cached and frozen: thousands of accounts are made in one simulation.
    return tuple(
        Field(id, name, display, kind, length, "r" in flags, "s" in flags, "c" in flags, soap)
        for id, name, display, kind, length, flags, soap, _ in data["fields"]
    )


class Fields:
    """All fields of the account by REST name; created and changed ones survive in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._all = {field.name: field for field in _standard()}
        for row in table.values():
            self._all[row["name"]] = Field(**row)

    def all(self) -> list[Field]:
        return sorted(self._all.values(), key=lambda field: field.id)

    def get(self, name: str) -> Field | None:
        return self._all.get(name)

    def by_soap(self, name: str) -> Field | None:
        return next((field for field in self._all.values() if name in (field.soap, field.name)), None)

    def by_display(self, name: str) -> Field | None:
        wanted = name.casefold()
        return next((field for field in self._all.values() if field.display.casefold() == wanted), None)

    def create(self, name: str, display: str, kind: str, *, api: bool = True, **more: Any) -> Field:
        """Raises ValueError with the reason if the account may not have such a field."""
        if kind not in CREATABLE:
            raise ValueError(f"Invalid data type '{kind}'")
        if not _NAME.match(name):
            raise ValueError(f"Invalid field name '{name}'")
        if not _DISPLAY_NAME.match(display):
            raise ValueError(f"Invalid display name '{display}'")
        # Names are compared without case: describe and SOAP know one namespace.
        if any(name.casefold() == known.casefold() for known in self._all) or self.by_display(display):
            raise ValueError(f"Field '{name}' already exists")
        id = max(_FIRST_CUSTOM_ID - 1, *(field.id for field in self._all.values())) + 1
        made = Field(id, name, display, kind, CREATABLE[kind], soap=name, custom=True, api_created=api, **more)
        return self._keep(made)

    def change(self, field: Field, **changes: Any) -> Field:
        return self._keep(replace(field, **changes))

    def remove(self, name: str) -> None:
        """Not possible by API; a support case may do it, so the tests can."""
        del self._all[name]
        self._table.pop(name, None)

    def _keep(self, field: Field) -> Field:
        self._all[field.name] = field
        self._table[field.name] = asdict(field)
        return field
