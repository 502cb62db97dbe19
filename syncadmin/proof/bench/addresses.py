"""Which addresses `bench pages` asks: at least one for each page of the dashboard.

A page without arguments is found in the URLconf by itself. One that takes arguments, or whose depth matters, has its
entries here; a page that is in neither list is in ``NOT_PAGES`` or the house test fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from syncadmin.store.models import Decision, Failure, Link, ListedPerson, Run
from syncadmin.store.models.listing import STATES
from syncadmin.web.access import Right

_LAST_PAGE = re.compile(r'href="([^"]*[?&](?:amp;)?before=end[^"]*)"')

Asked = Mapping[str, str]

# Addresses that answer nothing to look at: they change something, redirect, or belong to machines.
NOT_PAGES = frozenset({"sign-in", "sign-in-link", "sign-out", "set_language", "healthz", "sync-person-hook"})


def patterns() -> Iterator[URLPattern]:
    """Every address of ours."""
    yield from _within(get_resolver().url_patterns)


def _within(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLResolver):
            yield from _within(each.url_patterns)
        else:
            yield each


def readable(pattern: URLPattern) -> bool:
    """Whether a GET of it is a page: it names a right to read, and does not insist on being posted to."""
    right = getattr(pattern.callback, "needs", None)
    return right not in (None, Right.NOTHING) and not _only_posted(pattern.callback)


def _only_posted(view: object) -> bool:
    """Django's decorator keeps the methods in its closure."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            if isinstance(cell.cell_contents, list) and cell.cell_contents == ["POST"]:
                return True
        view = getattr(view, "__wrapped__", None)
    return False


def every(client: Client) -> dict[str, str]:
    """What to ask, by the name it is told under."""
    told: dict[str, str] = {}
    for pattern in patterns():
        name = str(pattern.name)
        if name in ENTRIES:
            entries = ENTRIES[name]()
            told |= {f"{name}, {what}" if what else name: address for what, address in entries.items()}
        elif readable(pattern) and not pattern.pattern.converters and name not in NOT_PAGES:
            told[name] = reverse(name)
    return {**told, **_deepest(client, told)}


def unlisted() -> list[str]:
    """Pages that take arguments and have no entry here."""
    return sorted(
        str(each.name) for each in patterns()
        if readable(each) and each.pattern.converters and each.name not in ENTRIES and each.name not in NOT_PAGES
    )  # fmt: skip


def _deepest(client: Client, told: Asked) -> Asked:
    """The last page of each list that has a link to it."""
    found = {}
    for name, address in told.items():
        if address.endswith(".csv") or ".csv?" in address:
            continue
        answer = client.get(address)
        link = _LAST_PAGE.search(answer.content.decode()) if answer.status_code == 200 else None
        if link:
            found[f"{name}, last page"] = link[1].replace("&amp;", "&")
    return found


def _first(found: Iterable[str]) -> Asked:
    """One address without a name of its own, if there is anything to show."""
    return {"": address for address in list(found)[:1]}  # noqa: B035


def _people() -> Asked:
    address = reverse("people")
    person = ListedPerson.objects.filter(link__isnull=False).order_by("-id")[0]
    searches = {
        "two letters": "an",
        "a frequent word": "smith",
        "a rare word": "quetzal",
        "one Chinese character": "王",
        "an address": "info@company1",
        "a Marketo id": str(person.marketo),
        "a Dynamics id": str(person.dynamics),
        "two words": "an jo",
        "nobody": "qqqq",
        "one letter": "a",
    }
    return {
        "": address,
        "recent": f"{address}?sort=recent",
        **{f"search for {what}": f"{address}?q={typed}" for what, typed in searches.items()},
        **{f"state {state}": f"{address}?state={state}" for state in STATES},
        **{f"state {state}, recent": f"{address}?state={state}&sort=recent" for state in STATES},
        **{f"state {state}, two letters": f"{address}?state={state}&q=an" for state in STATES},
    }


def _person() -> Asked:
    busiest, other = Link.objects.order_by("id").values_list("pk", flat=True)[:2]
    deep = f"{reverse('person', args=[busiest])}?before=1000"
    return {
        "": reverse("person", args=[other]),
        "with the longest history": reverse("person", args=[busiest]),
        "the oldest of the longest history": deep,
    }


def _history(form: str) -> Callable[[], Asked]:
    def asked() -> Asked:
        return _first(reverse(f"history-{form}", args=[pk]) for pk in Link.objects.order_by("id").values_list("pk")[0])

    return asked


def _alone(side: str) -> Callable[[], Asked]:
    def asked() -> Asked:
        rows = ListedPerson.objects.filter(link__isnull=True, **{f"{side}__isnull": False}).order_by("-id")[:1]
        return _first(reverse(f"person-in-{side}", args=[getattr(row, side)]) for row in rows)

    return asked


def _run() -> Asked:
    return _first(reverse("run", args=[run.pk]) for run in Run.objects.order_by("-pk")[10:11])


def _cause() -> Asked:
    causes = Failure.objects.filter(closed_at__isnull=True).order_by("-pk").values_list("cause", flat=True)[:1]
    return _first(reverse("to-do-cause", args=[cause]) for cause in causes)


def _decision() -> Asked:
    rows = Decision.objects.filter(answered_at__isnull=True).order_by("-pk")[:1]
    return _first(reverse("to-do-decision", args=[row.pk]) for row in rows)


# By the name of the address: what to ask, by what to call it.
ENTRIES: dict[str, Callable[[], Asked]] = {
    "people": _people,
    "person": _person,
    "person-in-dynamics": _alone("dynamics"),
    "person-in-marketo": _alone("marketo"),
    "history-csv": _history("csv"),
    "history-json": _history("json"),
    "run": _run,
    "to-do-cause": _cause,
    "to-do-decision": _decision,
}
