"""What every long list shares: its state in the address, paging by key, sorting, and who is meant by a bulk action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme


@dataclass(frozen=True, slots=True)
class Listing:
    """A list at ``path`` with what narrows it (``kept``, filters by name) and its order, for the templates.

    ``following`` is where the next page begins; empty on the last one.
    """

    path: str
    kept: Mapping[str, str]
    sort: str
    sorts: Sequence[str]
    following: str
    later_page: bool

    def address(self, **changes: str) -> str:
        """The list with some filters changed; it begins anew."""
        sort = {"sort": self.sort} if self.sort != self.sorts[0] else {}
        given = {name: value for name, value in {**self.kept, **sort, **changes}.items() if value}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    @property
    def first(self) -> str:
        return self.address()

    @property
    def next(self) -> str:
        return self.address(after=self.following) if self.following else ""

    @property
    def export(self) -> str:
        return self.address(format="csv")

    @property
    def turned(self) -> str:
        """The same list in its other order."""
        other = next((name for name in self.sorts if name != self.sort), "")
        return self.address(sort="" if other == self.sorts[0] else other)

    @property
    def oldest_first(self) -> bool:
        return self.sort == "oldest"


def listing(
    request: HttpRequest, path: str, kept: Mapping[str, object], sorts: Sequence[str], following: str
) -> Listing:
    """The list this request asks for. ``kept`` are its filters as they were understood, empty ones included."""
    words = {name: str(value) for name, value in kept.items() if value not in ("", None)}
    return Listing(path, words, sort_of(request, sorts), sorts, following, bool(request.GET.get("after")))


def sort_of(request: HttpRequest, sorts: Sequence[str]) -> str:
    sort = request.GET.get("sort", "")
    return sort if sort in sorts else sorts[0]


def one_of(given: QueryDict, name: str, known: Sequence[str] | frozenset[str]) -> str:
    """A filter's word from the address; anything that is not known counts as absent."""
    word = given.get(name, "")
    return word if word in known else ""


def number(given: QueryDict, name: str) -> int | None:
    """A whole number of 64 bits; anything else counts as absent."""
    word = given.get(name, "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else None


def chosen(request: HttpRequest) -> tuple[int, ...] | None:
    """The rows that were ticked; None if all that the filter lets through are meant."""
    if request.POST.get("which") == "all":
        return None
    words = request.POST.getlist("chosen")
    return tuple(sorted({int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19}))


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page the form stood on, if it is one of ours."""
    return HttpResponseRedirect(place(request, otherwise))


def place(request: HttpRequest, otherwise: str) -> str:
    target = request.POST.get("back", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else otherwise
