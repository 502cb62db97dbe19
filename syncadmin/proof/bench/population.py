"""People on both sides, each the same for the same number: twenty filled fields, four in a hundred differ in one.

Four of five are leads. Ids are chosen here, so that a canned answer can be made from a number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncadmin.engine.fields import FieldPair, pair_key
from syncadmin.engine.records import Table

Row = dict[str, Any]

FIELDS = (
    ("salutation", "salutation"),
    ("firstname", "firstName"),
    ("lastname", "lastName"),
    ("emailaddress1", "email"),
    ("jobtitle", "title"),
    ("telephone1", "phone"),
    ("mobilephone", "mobilePhone"),
    ("fax", "fax"),
    ("address1_line1", "address"),
    ("address1_city", "city"),
    ("address1_stateorprovince", "state"),
    ("address1_country", "country"),
    ("address1_postalcode", "postalCode"),
    ("description", "mktoPersonNotes"),
    ("donotphone", "doNotCall"),
    ("donotbulkemail", "unsubscribed"),
    ("leadsourcecode", "leadSource"),
    ("leadqualitycode", "rating"),
    ("companyname", "company"),
    ("revenue", "annualRevenue"),
)
_LEADS_ONLY = frozenset({"leadsourcecode", "leadqualitycode", "companyname", "revenue"})
_SOURCES = {1: "Advertisement", 4: "Partner", 7: "Trade Show", 8: "Web"}
_RATINGS = {1: "Hot", 2: "Warm", 3: "Cold"}
_CITIES = (("Bergen", "Vestland"), ("Porto", "Norte"), ("Gent", "Flanders"), ("Tartu", "Tartumaa"))
_FIRST = ("Ingrid", "Rui", "Mei", "Olav", "Zoë", "Tiago", "Anneke", "Jaan")
_LAST = ("Haugen", "Tavares", "De Smet", "Tamm", "Lindqvist", "O'Neill", "Çelik")
_CONSENTS = frozenset({"donotphone", "donotbulkemail"})
_DIFFERENT = 25
FIRST_PERSON = 1_000_001


@dataclass(frozen=True, slots=True)
class Human:
    """One person of both sides. ``dynamics`` holds columns, ``marketo`` fields by REST name; ids stand apart."""

    number: int
    table: Table
    guid: str
    person: int
    dynamics: Row = field(repr=False)
    marketo: Row = field(repr=False)


def humans(count: int, first: int = 0) -> Iterator[Human]:
    return (human(number) for number in range(first, first + count))


def table_of(number: int) -> Table:
    return Table.CONTACT if number % 5 == 4 else Table.LEAD


def place_of(number: int) -> int:
    """How many of the same table come before."""
    return number // 5 if table_of(number) is Table.CONTACT else number - (number + 1) // 5


def human(number: int) -> Human:
    table = table_of(number)
    known = _values(number)
    lead = table is Table.LEAD
    dynamics = {column: known[column] for column, _ in FIELDS if lead or column not in _LEADS_ONLY}
    marketo = {name: known[column] for column, name in FIELDS if lead or column not in _LEADS_ONLY}
    if lead:
        marketo["leadSource"] = _SOURCES[known["leadsourcecode"]]
        marketo["rating"] = _RATINGS[known["leadqualitycode"]]
    if number % _DIFFERENT == 0:
        marketo["title"] = f"Head of {known['jobtitle']}"
    return Human(number, table, guid(number), FIRST_PERSON + number, dynamics, marketo)


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number * 7919 % 2**48:012x}"


def number_of(guid: str) -> int:
    return int(guid[:8], 16)


def email(number: int) -> str:
    return f"person.{number}@company{number % 997}.example"


def number_at(address: str) -> int | None:
    """Whose address it would be, whatever its case; None for one that nobody can have."""
    number = address.casefold().removeprefix("person.").partition("@")[0]
    known = number.isdecimal() and email(int(number)) == address.casefold()
    return int(number) if known else None


def _values(number: int) -> Row:
    city, state = _CITIES[number % 4]
    first, last = _FIRST[number % 8], f"{_LAST[number % 7]} {number}"
    return {
        "salutation": ("Ms.", "Mr.", "Dr.")[number % 3],
        "firstname": first,
        "lastname": last,
        "emailaddress1": email(number),
        "jobtitle": ("Buyer", "Engineer", "Controller", "Headmaster")[number % 4],
        "telephone1": f"+47 {number % 90 + 10} {number % 899 + 100} {number % 77 + 20}",
        "mobilephone": f"+351 9{number % 100_000_000:08}",
        "fax": f"+32 {number % 10_000_000:07}",
        "address1_line1": f"Hauptstraße {number % 240 + 1}",
        "address1_city": city,
        "address1_stateorprovince": state,
        "address1_country": ("Norway", "Portugal", "Belgium", "Estonia")[number % 4],
        "address1_postalcode": f"{number % 9000 + 1000}",
        "description": f"Met at the fair in {city}, stand {number % 400}. Wants to hear of news twice a year.",
        "donotphone": number % 7 == 0,
        "donotbulkemail": number % 11 == 0,
        "leadsourcecode": (1, 4, 7, 8)[number % 4],
        "leadqualitycode": number % 3 + 1,
        "companyname": f"Company {number % 997}",
        "revenue": float(number % 500 * 1000),
    }


def pairs() -> list[FieldPair]:
    """The field pairs of both tables."""
    return [
        FieldPair(pair_key(table, column, name), table, column, name, consent=column in _CONSENTS)
        for table in (Table.LEAD, Table.CONTACT)
        for column, name in FIELDS
        if table is Table.LEAD or column not in _LEADS_ONLY
    ]
