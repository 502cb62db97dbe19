"""The sandbox's own web page: look through the records of the organisation and work in them as a person would."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from . import page_parts as parts
from .errors import ApiError
from .render import Annotations, Renderer
from .schema import LOOKUPS, Column, Table
from .state import Row
from .text import fold
from .wire import Answer

if TYPE_CHECKING:
    from .app import DynamicsSandbox

_TABLES = ("lead", "contact", "account", "systemuser")
_PAGE = 50
_SHOWN = {
    "lead": ("fullname", "emailaddress1", "companyname", "statuscode", "ownerid", "modifiedon"),
    "contact": ("fullname", "emailaddress1", "jobtitle", "statuscode", "ownerid", "modifiedon"),
    "account": ("name", "emailaddress1", "telephone1", "statuscode", "ownerid", "modifiedon"),
    "systemuser": ("fullname", "internalemailaddress", "accessmode", "isdisabled"),
}
_FIRST = (
    "subject",
    "firstname",
    "lastname",
    "emailaddress1",
    "jobtitle",
    "companyname",
    "telephone1",
    "mobilephone",
    "new_synctomkto",
)


class Pages:
    """Answers `/` and `/record`."""

    def __init__(self, sandbox: DynamicsSandbox) -> None:
        self._sandbox, self._state = sandbox, sandbox.state

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if method == "POST" else {}
        entity = form.get("entity") or query.get("entity") or "lead"
        if entity not in _TABLES:
            return _html("<h1>No such table</h1>", 404)
        table = self._sandbox.schema.tables[entity]
        with self._sandbox.lock:
            if path in ("/", ""):
                return _html(self._list(table, query))
            if method == "POST":
                return self._act(table, form)
            if query.get("id") and self._state.get(entity, query["id"]) is None:
                return _html(
                    parts.page("Not found", "<p>This record is not there (any more).</p>", self._tabs(entity)), 404
                )
            return _html(self._record(table, query.get("id"), query.get("said", "")))

    def _tabs(self, entity: str) -> str:
        return parts.tabs(((name, self._sandbox.schema.tables[name].labels) for name in _TABLES), entity)

    # -- the list

    def _list(self, table: Table, query: dict[str, str]) -> str:
        sought, after = query.get("q", ""), query.get("after", "")
        rows = self._found(table, sought, after)
        renderer = Renderer(self._state, table, None, Annotations())
        names = [name for name in _SHOWN[table.name] if table.has(name)]
        lines = [
            [self._cell(renderer, table, row, name, position == 0) for position, name in enumerate(names)]
            for row in rows[:_PAGE]
        ]
        search = f'<form class="line" action="/">{parts.hidden(entity=table.name)}<label for="q">Search</label><input id="q" name="q" value="{escape(sought, quote=True)}"><button>Find</button></form>'
        add = "" if table.name == "systemuser" else f" {parts.link('Add a record', '/record', entity=table.name)}"
        shown = (
            parts.table([table.columns[name].label for name in names], lines) if lines else "<p>No record matches.</p>"
        )
        more = (
            parts.link("Next page", "/", entity=table.name, q=sought, after=rows[_PAGE - 1][table.id])
            if len(rows) > _PAGE
            else ""
        )
        total = f"<p><small>{len(self._state.rows(table.name)):,} records in all</small></p>"
        return parts.page(table.labels, f"{search}{add}{shown}<p>{more}</p>{total}", self._tabs(table.name))

    def _found(self, table: Table, sought: str, after: str) -> list[Row]:
        wanted, found = fold(sought.strip()), []
        columns = [
            name
            for name in (table.title, "emailaddress1", "companyname", "internalemailaddress", table.id)
            if table.has(name)
        ]
        for row in self._state.after(table.name, after):
            if not wanted or any(wanted in fold(str(row.get(name, ""))) for name in columns):
                found.append(row)
                if len(found) > _PAGE:
                    break
        return found

    def _cell(self, renderer: Renderer, table: Table, row: Row, name: str, first: bool) -> str:
        column, value = table.columns[name], row.get(name)
        shown = None if value is None else renderer.formatted(column, value, row.get(f"{name}@type"))
        text = "" if value is None else value if shown is None else shown
        return (
            parts.link(text or "(no name)", "/record", entity=table.name, id=row[table.id])
            if first
            else escape(str(text))
        )

    # -- one record

    def _record(self, table: Table, id: str | None, said: str) -> str:
        row = self._state.get(table.name, id) if id else None
        row = row or {}
        title = str(row.get(table.title) or table.label) if id else f"New {table.label.lower()}"
        note = f'<p class="note">{escape(said)}</p>' if said else ""
        form = f'<form method="post" action="/record">{parts.hidden(do="save", entity=table.name, id=id or "")}<div class="grid">{self._fields(table, row)}</div><p><button>Save</button></p></form>'
        verbs = self._verbs(table, id, row) if id else ""
        return parts.page(title, f"{note}{verbs}{form}{self._facts(table, row) if id else ''}", self._tabs(table.name))

    def _fields(self, table: Table, row: Row) -> str:
        columns = [
            column
            for column in table.columns.values()
            if "u" in column.ops and column.type not in LOOKUPS and column.type != "Uniqueidentifier"
        ]
        columns = [column for column in columns if column.name not in ("statecode", "statuscode")]
        columns.sort(key=lambda column: _FIRST.index(column.name) if column.name in _FIRST else len(_FIRST))
        return "".join(_field(column, row.get(column.name)) for column in columns)

    def _verbs(self, table: Table, id: str, row: Row) -> str:
        keys = {"entity": table.name, "id": id}
        if table.name == "systemuser":
            return ""
        found = [parts.button_form("delete", "Delete", **keys)]
        active = row.get("statecode") == 0
        words = ("Disqualify" if table.name == "lead" else "Deactivate") if active else "Reactivate"
        found.append(parts.button_form("deactivate" if active else "reactivate", words, **keys))
        if table.name == "lead" and active:
            found.append(parts.button_form("qualify", "Qualify", **keys))
        users = {id: str(user.get("fullname")) for id, user in self._state.rows("systemuser").items()}
        choice = parts.choice_field("owner", "Owner", users, row.get("ownerid"), empty=False)
        found.append(parts.button_form("assign", "Assign", choice, **keys))
        loser = '<input name="loser" aria-label="Id of the record to merge into this one" placeholder="id of the other record" size="36">'
        return "".join([*found, parts.button_form("merge", "Merge into this one", loser, **keys)])

    def _facts(self, table: Table, row: Row) -> str:
        renderer = Renderer(self._state, table, None, Annotations())
        read_only = [
            column
            for column in table.columns.values()
            if column.name in row
            and ("u" not in column.ops or column.type in LOOKUPS or column.type in ("State", "Status"))
        ]
        lines = [[escape(column.label), self._fact(renderer, column, row)] for column in read_only]
        changes = self._sandbox.truth.of(table.name, row[table.id])[-30:][::-1]
        history = [
            [
                f"{each.at:%Y-%m-%d %H:%M:%S}",
                escape(each.who),
                escape(each.action),
                escape(each.field or ""),
                escape(_short(each.old)),
                escape(_short(each.new)),
            ]
            for each in changes
        ]
        return f"<h2>Kept by the system</h2>{parts.table(('Column', 'Value'), lines)}<h2>What happened</h2>{parts.table(('When (UTC)', 'Who', 'What', 'Column', 'Before', 'After'), history)}"

    def _fact(self, renderer: Renderer, column: Column, row: Row) -> str:
        value, target = row[column.name], row.get(f"{column.name}@type")
        shown = renderer.formatted(column, value, target)
        if target in _TABLES:
            return parts.link(shown or value, "/record", entity=target, id=value)
        return escape(str(value if shown is None else shown))

    # -- what a person does

    def _act(self, table: Table, form: dict[str, str]) -> Answer:
        id, do = form.get("id", ""), form.get("do", "")
        try:
            said, id = self._do(table, id, do, form)
        except ApiError as error:
            said = f"Refused: {error.message} ({error.code})"
        if do == "delete" and not said.startswith("Refused"):
            return _away("/", entity=table.name)
        return _away("/record", entity=table.name, id=id, said=said)

    def _do(self, table: Table, id: str, do: str, form: dict[str, str]) -> tuple[str, str]:
        sandbox, entity = self._sandbox, table.name
        match do:
            case "save":
                return self._save(table, id, form)
            case "delete":
                sandbox.delete(entity, id)
            case "qualify":
                made = sandbox.qualify(id)
                return f"Qualified: {', '.join(f'{name} {other}' for name, other in made.items())}", id
            case "deactivate":
                sandbox.deactivate(entity, id)
            case "reactivate":
                sandbox.reactivate(entity, id)
            case "assign":
                sandbox.assign(entity, id, form["owner"])
            case "merge":
                sandbox.merge(entity, id, form.get("loser", "").strip().lower())
            case other:
                raise ApiError(400, "", f"There is no such action: {other}")
        return "Done.", id

    def _save(self, table: Table, id: str, form: dict[str, str]) -> tuple[str, str]:
        """Forms trim what is typed, and hold to the required columns, which the API does not."""
        old = self._state.get(table.name, id) or {}
        values = {
            name: _typed(table.columns[name], text.strip()) for name, text in form.items() if name in table.columns
        }
        changes = {name: value for name, value in values.items() if _field_text(value) != _field_text(old.get(name))}
        for column in table.columns.values():
            if column.level == "ApplicationRequired" and {**old, **changes}.get(column.name) is None:
                raise ApiError(400, "", f"{column.label}: required fields must be filled in.")
        if not id:
            return "Added.", self._sandbox.create(
                table.name, {name: value for name, value in changes.items() if value is not None}
            )
        if changes:
            self._sandbox.edit(table.name, id, changes)
        return ("Saved." if changes else "Nothing was changed."), id


def _field(column: Column, value: Any) -> str:
    if column.type in ("Picklist", "Boolean"):
        chosen = int(value) if isinstance(value, bool) else value
        return parts.choice_field(
            column.name, column.label, {str(each.value): each.label for each in column.options}, chosen
        )
    note = "required" if column.level == "ApplicationRequired" else column.name
    return parts.text_field(column.name, column.label, value, long=column.type == "Memo", note=note)


def _field_text(value: Any) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _typed(column: Column, text: str) -> Any:
    if not text:
        return None
    return text == "1" if column.type == "Boolean" else text


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _html(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), type="text/html; charset=utf-8")


def _away(path: str, **query: str) -> Answer:
    kept = {name: value for name, value in query.items() if value}
    return Answer(303, b"", {"Location": f"{path}?{urlencode(kept)}"})
