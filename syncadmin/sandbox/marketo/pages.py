"""The web page: look through the people, edit, add and delete one, see the activity log, press Sync Person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from . import html
from .activities import standard_types
from .answers import Answer, ApiError, RowError
from .fields import Field
from .requests import Request
from .state import Person, display_name
from .values import spoken

if TYPE_CHECKING:
    from .app import MarketoSandbox

_PAGE, _LOG = 50, 200
_USUAL = (
    "salutation",
    "firstName",
    "lastName",
    "email",
    "company",
    "title",
    "phone",
    "mobilePhone",
    "fax",
    "address",
    "city",
    "state",
    "postalCode",
    "country",
    "website",
    "leadSource",
    "leadStatus",
    "rating",
    "leadScore",
    "unsubscribed",
    "doNotCall",
    "mktoPersonNotes",
)
_AS = (("person", "a marketer"), ("campaign", "a smart campaign"), ("form", "a filled-out form"))
Handler = Callable[..., Answer]


def respond(sandbox: MarketoSandbox, request: Request) -> Answer:
    for method, pattern, handler in _PAGES:
        found = pattern.match(request.path)
        if found and request.method == method:
            if method == "POST":
                request.query = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
            try:
                return handler(sandbox, request, **found.groupdict())
            except (RowError, ApiError, ValueError) as error:
                return html.frame("Not done", html.note(str(error)), "400 Bad Request")
            # Somebody deleted the person meanwhile.
            except KeyError:
                break
    return html.frame("Not found", "<p>There is nothing here.</p>", "404 Not Found")


def people(sandbox: MarketoSandbox, request: Request) -> Answer:
    search, after = (request.one("q") or "").strip(), request.number("after", 0, 2**62, 0)
    # One row more than shown tells whether there is a next page; nobody counts matches.
    with sandbox.lock:
        total = len(sandbox.state.people)
        found = list(_page(_matches(sandbox, search, after)))
    rows = [_line(row) for row in found[:_PAGE]]
    more = html.link("/", "Next page", q=search, after=found[_PAGE - 1]["id"]) if len(found) > _PAGE else ""
    first = html.link("/", "First page", q=search) if after else ""
    box = f'<form class="row" method="get" action="/">{html.box("q", "Name, e-mail, company or id", search, "search")}'
    body = f"{box}{html.button('Search')}</form><p class=dim>{total} people in all</p>"
    heads = ("Id", "Name", "Email", "Company", "Changed")
    shown = html.table(heads, rows) if rows else "<p>Nobody matches.</p>"
    return html.frame("People", f"{body}{shown}<p>{first} {more}</p>")


def _matches(sandbox: MarketoSandbox, search: str, after: int) -> Iterator[Person]:
    wanted = search.casefold()
    for row in sandbox.state.people.values():
        words = (row["id"], row.get("firstName"), row.get("lastName"), row.get("email"), row.get("company"))
        if row["id"] > after and (not wanted or wanted in " ".join(str(word or "") for word in words).casefold()):
            yield row


def _page(rows: Iterator[Person]) -> Iterator[Person]:
    for number, row in enumerate(rows):
        if number > _PAGE:
            return
        yield row


def _line(row: Person) -> list[str]:
    name = html.link(f"/person/{row['id']}", display_name(row))
    return [html.text(row["id"]), name, *(html.text(row.get(key)) for key in ("email", "company", "updatedAt"))]


def person(sandbox: MarketoSandbox, request: Request, id: str, said: str = "") -> Answer:
    with sandbox.lock:
        row = sandbox.state.people[id]
        every = request.one("all") == "1"
        fields = [field for field in _ordered(sandbox) if _shows(sandbox, row, field, every)]
        boxes = "".join(_box(sandbox, row, field) for field in fields)
        parts = [html.note(said), _sync_form(id)]
        parts.append("<h2>Fields</h2>")
        parts.append(html.form(f"/person/{id}/edit", boxes + html.choice("by", "Save as", _AS) + _save(), "fields"))
        more = html.link(f"/person/{id}", "Show every field", all=1) if not every else ""
        parts += [f"<p>{more}</p>", _lists(sandbox, id), _danger(id), _log(sandbox, id)]
        return html.frame(f"{display_name(row)} ({id})", "".join(parts))


def _ordered(sandbox: MarketoSandbox) -> list[Field]:
    """The usual fields first, in the order of a form."""
    return sorted(
        sandbox.state.fields.all(), key=lambda field: _USUAL.index(field.name) if field.name in _USUAL else len(_USUAL)
    )


def _save() -> str:
    return f"<div>{html.button('Save', main=True)}</div>"


def _shows(sandbox: MarketoSandbox, row: Person, field: Field, every: bool) -> bool:
    return every or field.custom or field.name in _USUAL or sandbox.state.value(row, field) not in (None, False)


def _box(sandbox: MarketoSandbox, row: Person, field: Field) -> str:
    value = sandbox.state.value(row, field)
    if field.read_only or field.kept:
        return f"<label>{html.text(field.display)}<br>{html.text(spoken(value))}</label>"
    if field.kind == "boolean":
        return html.choice(field.name, field.display, (("false", "No"), ("true", "Yes")), spoken(bool(value)) or "")
    return html.box(field.name, field.display, spoken(value), "area" if field.kind == "text" else "text")


def _sync_form(id: str) -> str:
    kinds = (("lead", "Lead"), ("contact", "Contact"))
    inner = html.choice("syncAs", "Sync as", kinds) + html.box("assignTo", "Assign to (e-mail or id)", "")
    return "<h2>Flow step</h2>" + html.form(
        f"/person/{id}/sync", inner + html.button("Sync Person to Microsoft", main=True)
    )


def _lists(sandbox: MarketoSandbox, id: str) -> str:
    on = sandbox.state.lists_of(id)
    lists = [(key, row["name"]) for key, row in sandbox.state.lists.items()]
    rows = [
        [
            html.text(name),
            html.form(f"/person/{id}/leave", _hidden("list", key) + html.button("Remove")),
        ]
        for key, name in lists
        if key in on
    ]
    free = [(key, name) for key, name in lists if key not in on]
    add = html.form(f"/person/{id}/join", html.choice("list", "Static list", free) + html.button("Add to list"))
    return "<h2>Static lists</h2>" + (html.table(("List", ""), rows) if rows else "") + (add if free else "")


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{html.text(name)}" value="{html.text(value)}">'


def _danger(id: str) -> str:
    merge = html.form(
        f"/person/{id}/merge", html.box("losers", "Ids to merge into this one", "") + html.button("Merge")
    )
    return f"<h2>Merge or delete</h2>{merge}{html.form(f'/person/{id}/delete', html.button('Delete this person'))}"


def _log(sandbox: MarketoSandbox, id: str) -> str:
    names = {kind["id"]: kind["name"] for kind in standard_types()}
    names |= {row["id"]: (row["approved"] or row["draft"])["name"] for row in sandbox.state.custom_types.all()}
    rows = []
    for row in sandbox.activities_of(id)[:_LOG]:
        said = "; ".join(f"{name}: {value}" for name, value in row.get("a", {}).items())
        cells = (row["d"], names.get(row["t"], row["t"]), row.get("p"), said)
        rows.append([html.text(cell) for cell in cells])
    return "<h2>Activity log</h2>" + html.table(("When", "What", "About", "Details"), rows)


def edit(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    with sandbox.lock:
        row = sandbox.state.people[id]
        changes = {}
        for field in sandbox.state.fields.all():
            given = request.one(field.name)
            # A browser sends line ends as CR LF, whatever was stored.
            old = (spoken(sandbox.state.value(row, field)) or "").replace("\r\n", "\n")
            if given is not None and given.replace("\r\n", "\n") != old:
                changes[field.name] = given
        if changes:
            sandbox.edit("person", id, changes, by=request.one("by") or "person")
    return person(sandbox, request, id, f"Saved: {', '.join(changes)}" if changes else "Nothing was different.")


def sync(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    outcome = sandbox.sync_person(id, request.one("syncAs") or "lead", request.one("assignTo") or "")
    if outcome is None:
        raise KeyError(id)
    status = f"HTTP {outcome.status} {outcome.reason}" if outcome.status else f"No answer: {outcome.reason}"
    return person(sandbox, request, id, f"{status}\n{outcome.body}")


def join(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    sandbox.add_to_list(request.required("list"), [id])
    return html.back_to(f"/person/{id}")


def leave(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    sandbox.remove_from_list(request.required("list"), [id])
    return html.back_to(f"/person/{id}")


def merge(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    sandbox.merge(id, request.many("losers"))
    return html.back_to(f"/person/{id}")


def delete(sandbox: MarketoSandbox, request: Request, id: str) -> Answer:
    sandbox.delete("person", id)
    return html.back_to("/")


def blank(sandbox: MarketoSandbox, request: Request) -> Answer:
    fields = [field for field in _ordered(sandbox) if field.name in _USUAL]
    boxes = "".join(_box(sandbox, {"id": 0}, field) for field in fields)
    return html.frame("New person", html.form("/new", boxes + _save(), "fields"))


def create(sandbox: MarketoSandbox, request: Request) -> Answer:
    values: dict[str, Any] = {name: given[0] for name, given in request.query.items() if given[0] != ""}
    return html.back_to(f"/person/{sandbox.create('person', values)}")


def lists(sandbox: MarketoSandbox, request: Request) -> Answer:
    with sandbox.lock:
        rows = [
            [html.text(key), html.text(row["name"]), html.text(len(sandbox.state.on(key)))]
            for key, row in sandbox.state.lists.items()
        ]
    make = html.form("/lists", html.box("name", "New list", "") + html.button("Create"))
    return html.frame("Static lists", html.table(("Id", "Name", "Members"), rows) + make)


def make_list(sandbox: MarketoSandbox, request: Request) -> Answer:
    sandbox.add_list(request.required("name"))
    return html.back_to("/lists")


def _at(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(path + r"\Z"), handler


_PERSON = r"/person/(?P<id>\d+)"
_PAGES = (
    _at("GET", "/", people),
    _at("GET", _PERSON, person),
    _at("GET", "/new", blank),
    _at("POST", "/new", create),
    _at("GET", "/lists", lists),
    _at("POST", "/lists", make_list),
    _at("POST", _PERSON + "/edit", edit),
    _at("POST", _PERSON + "/sync", sync),
    _at("POST", _PERSON + "/join", join),
    _at("POST", _PERSON + "/leave", leave),
    _at("POST", _PERSON + "/merge", merge),
    _at("POST", _PERSON + "/delete", delete),
)
