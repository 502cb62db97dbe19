"""Sample people from a seed: on one side or both, from everywhere, and as untidy as real lists are."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

# country, phone pattern (# is a digit), postal pattern, cities with region, given names, family names
_PLACES: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("Germany", "+49 30 #######", "1####", "Berlin/BE Köln/NW Görlitz/SN", "Jörg Anke Bärbel Till", "Müller Groß Weiß Köster"),
    ("Estonia", "+372 5### ####", "1####", "Tallinn/Harjumaa Võru/Võrumaa", "Ines Jüri Õie Maarja", "Kallas Mägi Õunapuu Tamm"),
    ("Poland", "+48 22 ### ## ##", "0#-###", "Łódź/Łódzkie Gdańsk/Pomorskie", "Łukasz Żaneta Michał", "Wiśniewska Dąbrowski Żak"),
    ("Brazil", "+55 (11) 9####-####", "0####-###", "São_Paulo/SP Goiânia/GO", "João Conceição Luís", "Gonçalves da_Silva Araújo"),
    ("France", "+33 1 ## ## ## ##", "75###", "Paris/Île-de-France Nîmes/Occitanie", "Zoé François Anaïs", "Lefèvre D'Aubigné Noël"),
    ("Turkey", "+90 212 ### ## ##", "34###", "İstanbul/Marmara Muğla/Ege", "Gül İlker Şule", "Yıldız Çağlar Öztürk"),
    ("Japan", "+81-3-####-####", "1##-00##", "東京/東京都 Osaka/Osaka-fu", "花子 Kenji Yuki", "佐藤 Tanaka 鈴木"),
    ("China", "+86 10 #### ####", "1000##", "北京/北京市 Shanghai/Shanghai", "伟 Li Xiu", "王 Zhang 陈"),
    ("Greece", "+30 21# ### ####", "1## ##", "Αθήνα/Αττική Thessaloniki/Makedonia", "Ελένη Nikos", "Παπαδόπουλος Ioannou"),
    ("Egypt", "+20 2 #### ####", "11###", "القاهرة/القاهرة Alexandria/Alexandria", "محمد Nour Salma", "حسن Mansour"),
    ("Ireland", "+353 1 ### ####", "D## X###", "Dublin/Leinster Cork/Munster", "Siobhán Pádraig Niamh", "O'Neill Ó_Súilleabháin Byrne"),
    ("United States", "(312) ###-####", "606##", "Chicago/IL Springfield/IL", "Ada Grace Dwayne Maria", "McAllister Smith-Jones van_der_Berg Lee"),
    ("India", "+91 22 #### ####", "4000##", "Mumbai/Maharashtra Pune/Maharashtra", "Priya Arjun Lakshmi", "Iyer Singh Venkataraghavan"),
    ("Iceland", "+354 ### ####", "1##", "Reykjavík/Capital Akureyri/North", "Þóra Björn Sigríður", "Þórsdóttir Jónsson"),
)  # fmt: skip
_COMPANIES = (
    "Norvik Cranes", "Çınar Lojistik", "Blue Ridge Foods", "Kestrel Optics GmbH", "São Jorge Têxteis", "Minato Shipping",
    "Ardent Wind ApS", "Pärnu Timber OÜ", "O'Hara & Sons", "Lumen Health \"Plus\"", "Delta-7 Robotics", "Zielony Most sp. z o.o.",
)  # fmt: skip
_TITLES = (
    "Head of Purchasing",
    "Buyer",
    "CEO",
    "Geschäftsführerin",
    "Quality Engineer",
    "VP, Operations",
    "Responsável de Compras",
)
_LONG_TITLE = (
    "Senior Vice President for Strategic Procurement, Supplier Relations and Continuous Improvement "
    "of the Europe, Middle East and Africa Business Unit (acting)"
)
_SOURCES = {1: "Advertisement", 2: "Employee Referral", 3: "External Referral", 4: "Partner", 7: "Trade Show", 8: "Web"}
_UNKNOWN_SOURCES = ("Hannover Messe 2025", "cold call", "Word of mouth ")
_RATINGS = {1: "Hot", 2: "Warm", 3: "Cold"}
# Enough for the names above; what is missing simply drops out of the address.
_ASCII = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "õ": "o", "ł": "l", "ż": "z", "ą": "a", "ś": "s", "ã": "a", "ç": "c", "é": "e",
    "è": "e", "ï": "i", "í": "i", "ı": "i", "ş": "s", "ğ": "g", "á": "a", "ó": "o", "ú": "u", "þ": "th", "ð": "d", "ñ": "n", "ê": "e", "î": "i",
})  # fmt: skip


# Which of twenty people use the e-mail of somebody before them, and how far back: one pair on each side.
_SHARERS = {12: 5, 15: 11}


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person. `kind` is lead or contact; a side where the person is missing has None.

    `dynamics` holds columns of that table, `marketo` fields by REST name, both ready to be loaded.
    """

    number: int
    kind: str
    dynamics: Row | None
    marketo: Row | None

    @property
    def sides(self) -> tuple[str, ...]:
        return tuple(name for name in ("dynamics", "marketo") if getattr(self, name) is not None)


def sample(n: int, seed: int) -> list[Person]:
    """The same `n` people for the same seed; of sixty about 24 are on both sides, 18 on each one only."""
    chance = random.Random(seed)
    people = []
    mailbox: dict[int, str] = {}
    for number in range(n):
        base = _identity(number, chance)
        mailbox[number] = base["email"]
        if number % 20 in _SHARERS:
            # A family, or an office that reads one mailbox.
            base["email"] = mailbox[number - _SHARERS[number % 20]]
        people.append(_person(number, base, chance))
    return people


def rows(people: list[Person], side: str, entity: str) -> list[Row]:
    """What to load into one table of one side."""
    if side == "marketo":
        return [person.marketo for person in people if person.marketo is not None]
    return [person.dynamics for person in people if person.dynamics is not None and person.kind == entity]


def _identity(number: int, chance: random.Random) -> Row:
    country, phone, postal, cities, given, family = chance.choice(_PLACES)
    city, _, state = chance.choice(cities.split()).replace("_", " ").partition("/")
    first, last = chance.choice(given.split()), chance.choice(family.split()).replace("_", " ")
    company = chance.choice(_COMPANIES)
    # Addresses are made from the name; names in other scripts leave nothing to make one of.
    local = _ascii(f"{first}.{last}") or f"person{number}"
    return {
        "first": first,
        "last": last,
        "email": f"{local}{number}@{_ascii(company) or 'company'}.example",
        "title": chance.choice(_TITLES),
        "company": company,
        "phone": _digits(phone, chance),
        "mobile": _digits("+## ### #######", chance),
        "street": f"{chance.choice(('Hauptstraße', 'Rua Direita', 'Main St', 'Pikk', 'Rue de la Gare'))} {chance.randint(1, 240)}",
        "city": city,
        "state": state,
        "country": country,
        "postal": _digits(postal, chance),
        "source": chance.choice(sorted(_SOURCES)),
        "rating": chance.choice(sorted(_RATINGS)),
    }


def _ascii(text: str) -> str:
    plain = text.lower().translate(_ASCII)
    return "".join(letter for letter in plain if letter.isascii() and (letter.isalnum() or letter == ".")).strip(".")


def _digits(pattern: str, chance: random.Random) -> str:
    return "".join(str(chance.randint(0, 9)) if letter == "#" else letter for letter in pattern)


def _person(number: int, base: Row, chance: random.Random) -> Person:
    # By number and not by chance, so that every sample has the same proportions.
    place = number % 10
    kind = "contact" if number % 5 in (1, 3) else "lead"
    dynamics = _dynamics(base, kind, chance) if place < 7 else None
    marketo = _marketo(base, kind, chance) if place < 4 or place >= 7 else None
    if dynamics is not None:
        _untidy_dynamics(number, dynamics)
    if marketo is not None:
        _untidy_marketo(number, marketo, chance)
    return Person(number, kind, dynamics, marketo)


def _dynamics(base: Row, kind: str, chance: random.Random) -> Row:
    row = {
        "firstname": base["first"],
        "lastname": base["last"],
        "emailaddress1": base["email"],
        "jobtitle": base["title"],
        "telephone1": base["phone"],
        "address1_line1": base["street"],
        "address1_city": base["city"],
        "address1_stateorprovince": base["state"],
        "address1_country": base["country"],
        "address1_postalcode": base["postal"],
        "donotbulkemail": chance.random() < 0.1,
    }
    if kind == "contact":
        return row | {"mobilephone": base["mobile"]}
    row |= {"companyname": base["company"], "subject": f"{base['company']}: enquiry"}
    return row | {"leadsourcecode": base["source"], "leadqualitycode": base["rating"]}


def _marketo(base: Row, kind: str, chance: random.Random) -> Row:
    row = {
        "firstName": base["first"],
        "lastName": base["last"],
        "email": base["email"],
        "title": base["title"],
        "phone": base["phone"],
        "address": base["street"],
        "city": base["city"],
        "state": base["state"],
        "country": base["country"],
        "postalCode": base["postal"],
        "leadScore": chance.randint(0, 120),
        "unsubscribed": chance.random() < 0.1,
    }
    row |= {"company": base["company"]} if kind == "lead" else {"mobilePhone": base["mobile"]}
    return row | (
        {"leadSource": _SOURCES[base["source"]], "rating": _RATINGS[base["rating"]]} if kind == "lead" else {}
    )


def _untidy_dynamics(number: int, row: Row) -> None:
    """Every so many people carry one of the flaws that lists are known for."""
    if number % 9 == 2:
        row["emailaddress1"] = row["emailaddress1"].upper()
    if number % 13 == 4:
        row["lastname"] = f"  {row['lastname']} "
    if number % 11 == 5:
        del row["emailaddress1"]
    if number % 12 == 6:
        row["telephone1"] = row["telephone1"].replace(" ", "").replace("-", "")
    if number % 15 == 3:
        row["new_synctomkto"] = False
    if number % 7 == 0:
        row["new_synctomkto"] = True
    if number % 23 == 11:
        row["jobtitle"] = "Buyer\r\n(part time)"


def _untidy_marketo(number: int, row: Row, chance: random.Random) -> None:
    if number % 8 == 1:
        row["email"] = f" {row['email'].title()} "
    if number % 14 == 0:
        row["title"] = _LONG_TITLE
    if number % 10 == 2 and "leadSource" in row:
        row["leadSource"] = chance.choice(_UNKNOWN_SOURCES)
    if number % 17 == 8:
        del row["lastName"]
    if number % 19 == 9:
        del row["email"]
    if number % 29 == 10:
        row["firstName"] += " 🌻"
    if number % 6 == 3:
        row["phone"] = "00" + row["phone"].lstrip("+").replace(" ", "/")
    if number % 16 == 7:
        row["city"] = row["city"].upper()
