"""What the types of a pair say, tried with the conversion itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from syncadmin.engine.fields import Bound, Direction, FieldPair
from syncadmin.engine.fit import Fit, fitness
from syncadmin.engine.pair_sets import differences
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Option, Schema
from syncadmin.engine.suggest import match_options, plain, suggestions

HOT, COLD = Option(1, "Hot"), Option(2, "Cold")


def here(kind: Kind, **facts: object) -> Column:
    return Column(Side.DYNAMICS, Table.LEAD, "here", "Here", kind, **facts)


def there(kind: Kind, **facts: object) -> Column:
    return Column(Side.MARKETO, Table.PERSON, "there", "There", kind, **facts)


def fit(column: Column, field: Column, **rules: object):
    return fitness(Bound(FieldPair("k", Table.LEAD, "here", "there", **rules), column, field, UTC))


TO_MARKETO, TO_DYNAMICS = Direction.TO_MARKETO, Direction.TO_DYNAMICS


@pytest.mark.parametrize(
    ("column", "field", "rules", "expected"),
    [
        (here(Kind.TEXT, max_length=255), there(Kind.TEXT, max_length=255), {}, (Fit.FITS, "")),
        (here(Kind.TEXT, max_length=100), there(Kind.TEXT, max_length=255), {}, (Fit.LIMITED, "100")),
        (here(Kind.TEXT, max_length=100), there(Kind.TEXT, max_length=255), {"shorten": True}, (Fit.SHORTENS, "100")),
        (here(Kind.TEXT, max_length=100), there(Kind.TEXT, max_length=255), {"direction": TO_MARKETO}, (Fit.FITS, "")),
        (here(Kind.MEMO, max_length=2000), there(Kind.TEXT, max_length=255), {"shorten": True}, (Fit.SHORTENS, "255")),
        (here(Kind.EMAIL, max_length=100), there(Kind.EMAIL, max_length=255), {"shorten": True}, (Fit.LIMITED, "100")),
        (here(Kind.EMAIL, max_length=255), there(Kind.TEXT, max_length=255), {}, (Fit.PARTLY, "")),
        (here(Kind.MONEY), there(Kind.INTEGER), {"direction": TO_MARKETO}, (Fit.PARTLY, "")),
        (here(Kind.MONEY), there(Kind.MONEY), {}, (Fit.FITS, "")),
        (
            here(Kind.INTEGER, minimum=Decimal(0), maximum=Decimal(100)),
            there(Kind.INTEGER, minimum=Decimal(-(2**31)), maximum=Decimal(2**31 - 1)),
            {},
            (Fit.RANGE, "0 to 100"),
        ),
        (here(Kind.DATE), there(Kind.DATE), {}, (Fit.FITS, "")),
        (here(Kind.DATE), there(Kind.BOOLEAN), {}, (Fit.CANNOT, "")),
        (here(Kind.BOOLEAN), there(Kind.BOOLEAN), {}, (Fit.FITS, "")),
        (here(Kind.OWNER), there(Kind.TEXT), {}, (Fit.FITS, "")),
        (here(Kind.OWNER), there(Kind.TEXT), {"direction": TO_DYNAMICS}, (Fit.CANNOT, "")),
        (here(Kind.CHOICE, options=(HOT, COLD)), there(Kind.TEXT), {}, (Fit.FITS, "")),
        (here(Kind.CHOICE, options=(HOT, COLD)), there(Kind.INTEGER), {}, (Fit.OPTIONS, "")),
        (
            here(Kind.CHOICE, options=(HOT, COLD)),
            there(Kind.INTEGER),
            {"options": {"1": "10", "2": "20"}},
            (Fit.FITS, ""),
        ),
        (
            here(Kind.CHOICE, options=(HOT, COLD)),
            there(Kind.BOOLEAN),
            {"options": {"1": "yes", "2": "no"}},
            (Fit.FITS, ""),
        ),
        (here(Kind.MULTICHOICE, options=(HOT, COLD)), there(Kind.TEXT), {}, (Fit.FITS, "")),
    ],
)
def test_verdicts(column: Column, field: Column, rules: dict[str, object], expected: tuple[Fit, str]) -> None:
    found = fit(column, field, **rules)
    assert (found.fit, found.limit) == expected


def test_options_that_share_a_text_do_not_come_back() -> None:
    column = here(Kind.CHOICE, options=(HOT, Option(3, "hot")))
    assert [option.value for option in fit(column, there(Kind.TEXT)).unmatched] == [3]
    assert fit(column, there(Kind.TEXT), direction=TO_MARKETO).fit is Fit.FITS
    assert fit(column, there(Kind.TEXT), options={"3": "Very hot"}).fit is Fit.FITS


def test_only_some_options_matched_are_not_enough() -> None:
    found = fit(here(Kind.CHOICE, options=(HOT, COLD)), there(Kind.INTEGER), options={"1": "10"})
    assert (found.fit, found.unmatched) == (Fit.OPTIONS, (COLD,))


def test_names_are_compared_without_prefix_case_and_punctuation() -> None:
    assert plain("new_FavouriteColour") == "newfavouritecolour"
    assert plain("new_favourite_colour") == "favouritecolour"
    assert plain("Favourite Colour") == "favouritecolour"


def test_suggestions_are_the_built_in_pairs_and_fields_of_the_same_name() -> None:
    def column(name: str, label: str) -> Column:
        return Column(Side.DYNAMICS, Table.LEAD, name, label, Kind.TEXT)

    def field(name: str, label: str, **facts: object) -> Column:
        return Column(Side.MARKETO, Table.PERSON, name, label, Kind.TEXT, **facts)

    columns = [column("jobtitle", "Position"), column("new_colour", "Colour"), column("new_size", "Size")]
    fields = [field("title", "Job Title"), field("colour", "Colour"), field("bulk", "SIZE", company_class=True)]
    tables = Schema(Table.LEAD, {c.name: c for c in columns}), Schema(Table.PERSON, {f.name: f for f in fields})
    lead = suggestions(Table.LEAD, *tables)
    assert {name: pair.marketo for name, pair in lead.items()} == {
        "jobtitle": "title",
        "new_colour": "colour",
        "new_size": "bulk",
    }
    assert "new_size" not in suggestions(Table.CONTACT, *tables)


def test_texts_that_differ_in_punctuation_only_are_matched() -> None:
    column = here(Kind.CHOICE, options=(HOT, COLD))
    assert match_options(column, ["HOT!", "cold", "Tepid"], {}) == {"1": "HOT!"}
    assert match_options(column, ["HOT!"], {"1": "Very hot"}) == {"1": "Very hot"}


def test_differences_are_told_by_column() -> None:
    title = FieldPair("lead.jobtitle:title", Table.LEAD, "jobtitle", "title")
    city = FieldPair("contact.city:city", Table.CONTACT, "city", "city")
    other = replace(title, key="lead.jobtitle:rank", marketo="rank", shorten=True)
    found = differences([title, city], [other])
    assert [(change.kind, change.dynamics, change.rules) for change in found] == [
        ("changed", "jobtitle", ("marketo", "shorten")),
        ("removed", "city", ()),
    ]
    assert differences([title], [replace(title, paused="gone")]) == []
