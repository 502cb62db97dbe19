"""Every page is among those that `bench pages` times."""

from __future__ import annotations

from django.urls import reverse

from syncadmin.proof.bench import addresses


def test_no_page_that_takes_arguments_is_without_an_entry() -> None:
    assert addresses.unlisted() == []


def test_every_entry_and_every_exception_is_an_address() -> None:
    names = {str(pattern.name) for pattern in addresses.patterns()}
    assert {*addresses.ENTRIES, *addresses.NOT_PAGES} - names == set()
    assert reverse("people") == "/people/"
