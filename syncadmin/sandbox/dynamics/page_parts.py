"""Small pieces of HTML for the sandbox's own web page; everything that comes from a record is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

_CSS = """
:root{color-scheme:light dark;--line:light-dark(#d9dde3,#3a4049);--soft:light-dark(#f4f6f8,#1d2126);--ink:light-dark(#1c2128,#e6e9ee);
--link:light-dark(#0b57a4,#8ec1ff);--warn:light-dark(#a3281f,#ff9a90)}
body{margin:0;font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:light-dark(#fff,#14171b)}
header,main{max-width:70rem;margin:0 auto;padding:.75rem 1rem}header{border-bottom:1px solid var(--line)}
a{color:var(--link)}nav a{margin-right:.9rem}nav a[aria-current]{font-weight:600;text-decoration:none;color:inherit}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .5rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;vertical-align:top}
.wide{overflow-x:auto}label{display:block;margin:.5rem 0 .15rem;font-size:.85rem}
input,select,textarea,button{font:inherit;color:inherit;background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.35rem .5rem;max-width:100%;box-sizing:border-box}
input:not([type=submit]),textarea{width:100%}button{cursor:pointer}form.line{display:inline-flex;gap:.5rem;flex-wrap:wrap;margin:.25rem .5rem .25rem 0;align-items:center}
form.line input{width:auto}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:0 1rem}
.note{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.5rem .75rem}.bad{color:var(--warn)}small{opacity:.75}
"""


def page(title: str, body: str, tabs: str = "") -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        # Without one every browser asks for /favicon.ico, which is not there.
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_CSS}</style></head><body>"
        f'<header><strong>Dynamics 365 sandbox</strong><nav aria-label="Tables">{tabs}</nav></header><main><h1>{escape(title)}</h1>{body}</main></body></html>'
    )


def address(path: str, **query: Any) -> str:
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return escape(f"{path}?{urlencode(kept)}" if kept else path, quote=True)


def link(text: Any, path: str, **query: Any) -> str:
    return f'<a href="{address(path, **query)}">{escape(str(text))}</a>'


def tabs(names: Iterable[tuple[str, str]], current: str) -> str:
    marked = ' aria-current="page"'
    return "".join(
        f'<a href="{address("/", entity=name)}"{marked if name == current else ""}>{escape(label)}</a>'
        for name, label in names
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def hidden(**values: Any) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(str(value), quote=True)}">'
        for name, value in values.items()
    )


def button_form(do: str, text: str, inner: str = "", **values: Any) -> str:
    return f'<form class="line" method="post" action="/record">{hidden(do=do, **values)}{inner}<button>{escape(text)}</button></form>'


def text_field(name: str, label: str, value: Any, long: bool = False, note: str = "") -> str:
    shown = "" if value is None else escape(str(value), quote=True)
    small = f" <small>{escape(note)}</small>" if note else ""
    tag = (
        f'<textarea id="f-{name}" name="{name}" rows="3">{shown}</textarea>'
        if long
        else f'<input id="f-{name}" name="{name}" value="{shown}">'
    )
    return f'<div><label for="f-{name}">{escape(label)}{small}</label>{tag}</div>'


def choice_field(name: str, label: str, options: Mapping[str, str], chosen: Any, empty: bool = True) -> str:
    pairs = {"": "", **options} if empty else options
    current = "" if chosen is None else str(chosen)
    inner = "".join(
        f'<option value="{escape(value, quote=True)}"{" selected" if value == current else ""}>{escape(text)}</option>'
        for value, text in pairs.items()
    )
    return (
        f'<div><label for="f-{name}">{escape(label)}</label><select id="f-{name}" name="{name}">{inner}</select></div>'
    )
