"""Which addresses `bench pages` asks: at least one for each page of the dashboard.

A page without arguments is found in the URLconf by itself. One that takes arguments, or whose depth matters, has its
entries here; a page that is in neither list is in ``NOT_PAGES`` or the house test fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from syncadmin.store.models import Channel, Conflict, Decision, Failure, FieldPair, Link, ListedPerson, Run
from syncadmin.store.models.listing import STATES
from syncadmin.store.queries import keys

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
    # No right and the right to nothing are both false; what they are called is the web's own business.
    return bool(getattr(pattern.callback, "needs", None)) and not _only_posted(pattern.callback)


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
        answer = client.get(address)
        page = "" if answer.streaming or answer.status_code != 200 else answer.content.decode()
        link = _LAST_PAGE.search(page)
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
        return _first(
            reverse(f"history-{form}", kwargs={"link": pk})
            for pk in Link.objects.order_by("id").values_list("pk", flat=True)[:1]
        )

    return asked


def _alone(side: str) -> Callable[[], Asked]:
    def asked() -> Asked:
        rows = ListedPerson.objects.filter(link__isnull=True, **{f"{side}__isnull": False}).order_by("-id")[:1]
        return _first(reverse(f"person-in-{side}", args=[getattr(row, side)]) for row in rows)

    return asked


def _cause() -> Asked:
    return _of("to-do-cause", Failure.objects.filter(closed_at__isnull=True).values_list("cause", flat=True))


def _of(name: str, found: Iterable[Any]) -> Asked:
    """The address of the first of these."""
    return _first(reverse(name, args=[key]) for key in found)


def _each(name: str, found: Callable[[], QuerySet[Any]]) -> Callable[[], Asked]:
    """The page of the newest row of a query."""
    return lambda: _of(name, found().order_by("-pk").values_list("pk", flat=True)[:1])


def _column(name: str) -> Callable[[], Asked]:
    """A page about a field pair: the first chosen one's."""
    return lambda: _first(
        reverse(name, args=row)
        for row in FieldPair.objects.order_by("-version", "id").values_list("table", "dynamics")[:1]
    )


def _list(name: str, **asked: str) -> Callable[[], Asked]:
    """A list as it opens, and as it is asked for in other ways."""
    return lambda: {
        "": reverse(name),
        **{what.replace("_", " "): f"{reverse(name)}?{how}" for what, how in asked.items()},
    }


def _conflicts() -> Asked:
    address = reverse("conflicts")
    oldest = Conflict.objects.order_by("at")[20]
    deep = keys.pack(oldest.at.isoformat(), oldest.pk)
    ways = ("state=open", "state=decided", f"key={oldest.key}", "winner=marketo", "rule=collision_lead")
    return {
        "": address,
        "oldest": f"{address}?sort=oldest",
        "deepest": f"{address}?after={deep}",
        **{way: f"{address}?{way}" for way in ways},
        **{f"{way}, deepest": f"{address}?{way}&after={deep}" for way in ways},
    }


# By the name of the address: what to ask, by what to call it.
ENTRIES: dict[str, Callable[[], Asked]] = {
    "people": _people,
    "person": _person,
    "person-in-dynamics": _alone("dynamics"),
    "person-in-marketo": _alone("marketo"),
    "history-csv": _history("csv"),
    "history-json": _history("json"),
    "conflicts": _conflicts,
    "conflict": _each("conflict", Conflict.objects.all),
    "conflict-rule": _each("conflict-rule", lambda: Conflict.objects.filter(state="decided")),
    "failure-records": _list(
        "failure-records", of_a_cause="cause=too_long", oldest="sort=oldest", deepest="after=20", closed="state=closed"
    ),
    "failure-fix": _each("failure-fix", lambda: Failure.objects.filter(cause="too_long", closed_at__isnull=True)),
    "decisions": _list("decisions", oldest="sort=oldest", deepest="after=20", of_a_kind="kind=match"),
    "decision": _each("decision", lambda: Decision.objects.filter(answered_at__isnull=True)),
    "to-do-cause": _cause,
    "to-do-decision": _each("to-do-decision", lambda: Decision.objects.filter(answered_at__isnull=True)),
    "runs": _list("runs", deepest="before=20", those_that_wrote="show=busy"),
    "run": _each("run", Run.objects.all),
    "settings-audit": _list("settings-audit", deepest="before=20", of_somebody="who=ada", of_an_action="action=pause"),
    "settings-connection": lambda: _of("settings-connection", ["dynamics"]),
    "settings-users-close": _each("settings-users-close", User.objects.all),
    "settings-notifications-remove": _each("settings-notifications-remove", Channel.objects.all),
    "settings-fields-version": lambda: _of("settings-fields-version", [1]),
    "settings-fields-pair": _column("settings-fields-pair"),
    "settings-fields-look": _column("settings-fields-look"),
    "settings-fields-samples": _column("settings-fields-samples"),
    "setup-fields-pair": _column("setup-fields-pair"),
    "setup-fields-look": _column("setup-fields-look"),
    "setup-fields-samples": _column("setup-fields-samples"),
    "setup-preview-failures": lambda: _of("setup-preview-failures", ["too_long"]),
}
