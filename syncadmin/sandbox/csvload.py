"""Anyone's CSV of people, read by its header names into one side's field names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import IO, Any

_HERE = Path(__file__).parent
# What a column is about, under the names lists use for it (lower case, letters and digits only).
_CONCEPTS = {
    "first": "firstname first fname givenname forename givennames vorname prenom",
    "middle": "middlename middle mname secondname middleinitial",
    "last": "lastname last lname surname familyname nachname nom",
    "salutation": "salutation prefix honorific anrede",
    "email": "email emailaddress mail workemail businessemail emailaddress1 email1 contactemail",
    "title": "title jobtitle position jobposition role",
    "company": "company companyname organization organisation organizationname account accountname employer firm",
    "phone": "phone phone1 phonenumber telephone telephone1 tel workphone businessphone officephone telephonenumber",
    "phone2": "phone2 telephone2 homephone secondphone otherphone",
    "mobile": "mobile mobilephone cell cellphone mobilenumber mobilephonenumber cellnumber",
    "fax": "fax faxnumber telefax",
    "street": "address street address1 streetaddress addressline1 street1 mailingstreet address1line1 strasse",
    "street2": "address2 street2 addressline2 address1line2",
    "city": "city town mailingcity address1city ort stadt ville",
    "county": "county district address1county",
    "state": "state stateprovince province region mailingstate stateorprovince address1stateorprovince bundesland",
    "zip": "zip zipcode postalcode postcode mailingzip plz mailingpostalcode address1postalcode",
    "country": "country countryregion countryname mailingcountry address1country land pays",
    "web": "web website url webpage homepage site websiteurl companywebsite www",
    "notes": "notes description comment comments remarks",
    "birthday": "birthday birthdate dateofbirth dob",
    "department": "department dept division",
    "employees": "employees numberofemployees numemployees noofemployees companysize",
    "revenue": "revenue annualrevenue turnover",
}
_ADDRESS = {
    "street": "address1_line1",
    "street2": "address1_line2",
    "city": "address1_city",
    "county": "address1_county",
    "state": "address1_stateorprovince",
    "zip": "address1_postalcode",
    "country": "address1_country",
}
_NAMES = {"first": "firstname", "middle": "middlename", "last": "lastname", "salutation": "salutation"}
_PEOPLE = {
    **_NAMES,
    **_ADDRESS,
    "email": "emailaddress1",
    "title": "jobtitle",
    "phone": "telephone1",
    "phone2": "telephone2",
    "mobile": "mobilephone",
    "fax": "fax",
    "web": "websiteurl",
    "notes": "description",
}
_TARGETS: dict[tuple[str, str], dict[str, str]] = {
    ("dynamics", "lead"): _PEOPLE | {"company": "companyname", "employees": "numberofemployees", "revenue": "revenue"},
    ("dynamics", "contact"): _PEOPLE | {"birthday": "birthdate", "department": "department"},
    ("dynamics", "account"): {
        **_ADDRESS,
        "company": "name",
        "phone": "telephone1",
        "phone2": "telephone2",
        "fax": "fax",
        "email": "emailaddress1",
        "web": "websiteurl",
        "notes": "description",
        "employees": "numberofemployees",
        "revenue": "revenue",
    },
    ("marketo", "person"): {
        "first": "firstName",
        "middle": "middleName",
        "last": "lastName",
        "salutation": "salutation",
        "email": "email",
        "title": "title",
        "company": "company",
        "phone": "phone",
        "mobile": "mobilePhone",
        "fax": "fax",
        "street": "address",
        "city": "city",
        "state": "state",
        "zip": "postalCode",
        "country": "country",
        "web": "website",
        "notes": "mktoPersonNotes",
        "birthday": "dateOfBirth",
        "department": "department",
        "employees": "numberOfEmployees",
        "revenue": "annualRevenue",
    },
}
_NOT_FOR_LISTS = frozenset(
    {"Lookup", "Customer", "Owner", "Uniqueidentifier", "State", "Status", "MultiSelectPicklist"}
)
_TRUTHS = {"true": True, "yes": True, "1": True, "y": True, "false": False, "no": False, "0": False, "n": False}
Row = dict[str, Any]
Convert = Callable[[str], Any]


def read(file: IO[Any], side: str, entity: str) -> tuple[list[Row], dict[str, str], list[str]]:
    """(rows in the side's field names, header → field, headers nobody knows). Blank cells are left out.

    `file` is binary (UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252) or text; the delimiter is the
    most frequent of comma, semicolon and tab in the header. ValueError for an empty file or an unknown entity.
    """
    content = file.read()
    text = _decoded(content) if isinstance(content, bytes) else str(content).lstrip("\ufeff")
    first, _, _ = text.lstrip("\r\n").partition("\n")
    if not first.strip():
        raise ValueError("the file has no header line")
    lines = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=_delimiter(first))
    headers = [header.strip() for header in next(lines)]
    mapped, skipped = _map(headers, side, entity)
    convert = {field: _converter(side, entity, field) for field in mapped.values()}
    rows = []
    for cells in lines:
        row = {}
        for header, cell in zip(headers, cells, strict=False):
            if header in mapped and cell.strip():
                row[mapped[header]] = convert[mapped[header]](cell)
        if row:
            rows.append(row)
    return rows, mapped, skipped


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    # Excel writes Windows-1252 unless told otherwise; nearly every byte is valid there, so it comes last.
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(header: str) -> str:
    # Quoted headers may hold the other delimiters.
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _map(headers: list[str], side: str, entity: str) -> tuple[dict[str, str], list[str]]:
    if (side, entity) not in _TARGETS:
        raise ValueError(f"{side} has no {entity!r} that a list could be loaded into")
    targets = _TARGETS[side, entity]
    concepts = {alias: concept for concept, aliases in _CONCEPTS.items() for alias in aliases.split()}
    own = {_plain(name): field for name, field in _own_names(side, entity).items()}
    mapped: dict[str, str] = {}
    skipped = []
    for header in headers:
        concept = concepts.get(_plain(header))
        # What a word means in lists comes first: the CRM's contact has a column `company` that is a phone number.
        field = targets.get(concept) if concept else own.get(_plain(header))
        # A second column for the same field would overwrite the first.
        if field and field not in mapped.values():
            mapped[header] = field
        else:
            skipped.append(header)
    return mapped, skipped


@cache
def _own_names(side: str, entity: str) -> dict[str, str]:
    """The side's own field names and names on screen, as far as a list may fill them."""
    found: dict[str, str] = {}
    if side == "marketo":
        for _, name, display, _, _, flags, _, _ in json.loads((_HERE / "marketo/fields.json").read_text())["fields"]:
            if not set(flags) & {"r", "s"}:
                found |= {display: name, name: name}
        return found
    for name, column in _columns(entity).items():
        if "c" in column["ops"] and column["type"] not in _NOT_FOR_LISTS:
            found |= {column["label"]: name, name: name}
    return found


@cache
def _columns(entity: str) -> dict[str, Any]:
    tables = json.loads((_HERE / "dynamics/columns.json").read_text())["tables"]
    columns: dict[str, Any] = tables[entity]["columns"]
    return columns


def _converter(side: str, entity: str, field: str) -> Convert:
    """CSV knows text only; the CRM's API wants numbers, booleans and option values. What does not fit stays text."""
    if side == "marketo":
        return str
    column = _columns(entity).get(field, {"type": "String"})
    kind = column["type"]
    if kind == "Picklist":
        options = {label.casefold(): value for value, label, *_ in column.get("options", ())}
        # Lists say the label; some exports say the number.
        return lambda cell: options.get(cell.strip().casefold(), _number(cell))
    if kind == "Boolean":
        return lambda cell: _TRUTHS.get(cell.strip().casefold(), cell)
    if kind in ("Integer", "BigInt", "Decimal", "Double", "Money"):
        return _number
    return str


def _number(cell: str) -> Any:
    try:
        found = Decimal(cell.strip().replace("\u00a0", ""))
    except InvalidOperation:
        return cell
    if not found.is_finite():
        return cell
    return int(found) if found == found.to_integral_value() else float(found)
