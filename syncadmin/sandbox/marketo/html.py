"""The frame of the sandbox's web page and the few pieces its pages are made of. Every value is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

from .answers import Answer

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5c6878;--line:#d9dee6;--back:#fff;--soft:#f4f6f9;--link:#5a3fb5}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa6b6;--line:#333c49;--back:#14181f;--soft:#1c222b;--link:#b3a1f5}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
header{background:var(--soft);border-bottom:1px solid var(--line);padding:.7rem 1rem;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}
header b{margin-right:auto}main{max-width:70rem;margin:0 auto;padding:1rem}a{color:var(--link)}
h1{font-size:1.35rem;margin:.4rem 0 1rem}h2{font-size:1.05rem;margin:1.8rem 0 .5rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:600}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
form.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.6rem 1rem}
label{display:block;color:var(--dim);font-size:.85rem}
input,select,button,textarea{font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);border-radius:.35rem;
padding:.35rem .5rem;max-width:100%}label input,label select,label textarea{width:100%;color:var(--ink)}
button{background:var(--soft);cursor:pointer}button.main{background:var(--link);color:var(--back);border-color:var(--link)}
.row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}.note{background:var(--soft);border-left:4px solid var(--link);
padding:.5rem .8rem;overflow-wrap:anywhere;white-space:pre-wrap}.dim{color:var(--dim)}
"""


def text(value: object) -> str:
    return "" if value is None else escape(str(value))


def frame(title: str, body: str, status: str = "200 OK") -> Answer:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)} - Marketo sandbox</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body><header><b>Marketo sandbox</b>"
        '<a href="/">People</a><a href="/new">New person</a><a href="/lists">Static lists</a></header>'
        f"<main><h1>{text(title)}</h1>{body}</main></body></html>"
    )
    return Answer(status, [("Content-Type", "text/html; charset=utf-8")], page.encode("utf-8", "replace"))


def back_to(place: str) -> Answer:
    return Answer("303 See Other", [("Location", place)], b"")


def link(place: str, label: object, **query: object) -> str:
    target = place + (f"?{urlencode(query)}" if query else "")
    return f'<a href="{text(target)}">{text(label)}</a>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th>{text(head)}</th>" for head in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{lines}</table></div>'


def box(name: str, label: str, value: object, kind: str = "text") -> str:
    """One labelled input; `kind` is text, area or an input type of HTML."""
    if kind == "area":
        return f'<label>{text(label)}<textarea name="{text(name)}" rows="3">\n{text(value)}</textarea></label>'
    return f'<label>{text(label)}<input name="{text(name)}" type="{kind}" value="{text(value)}"></label>'


def choice(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str = "") -> str:
    found = "".join(
        f'<option value="{text(value)}"{" selected" if value == chosen else ""}>{text(shown)}</option>'
        for value, shown in options
    )
    return f'<label>{text(label)}<select name="{text(name)}">{found}</select></label>'


def form(action: str, inner: str, kind: str = "row") -> str:
    return f'<form class="{kind}" method="post" action="{text(action)}">{inner}</form>'


def button(label: str, main: bool = False) -> str:
    return f"<button{' class=main' if main else ''}>{text(label)}</button>"


def note(said: str) -> str:
    return f'<p class="note" role="status">{text(said)}</p>' if said else ""
