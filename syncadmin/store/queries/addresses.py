"""Where a record is shown in the system it lives in."""

from __future__ import annotations

from urllib.parse import urlsplit

from syncadmin.engine.records import Side
from syncadmin.store.models import Connection
from syncadmin.store.options import Options

# The stand-ins run on this machine, on pages of their own.
_HERE = frozenset({"127.0.0.1", "localhost"})


def of(side: str, table: str, id: str, settings: Options) -> str:
    """The address of the record's own page; empty where it cannot be known.

    Marketo's REST address says nothing of where its pages are: the setting ``marketo_pages`` does.
    """
    base = Connection.objects.filter(side=side).values_list("base_url", flat=True).first() or ""
    here = urlsplit(base).hostname in _HERE
    if side == Side.DYNAMICS:
        return _dynamics(base.rstrip("/"), here, table, id)
    if here:
        return f"{base.rstrip('/')}/person/{id}"
    pages = settings.marketo_pages.rstrip("/")
    return f"{pages}/leadDatabase/loadLeadDetail?leadId={id}" if pages else ""


def _dynamics(base: str, here: bool, table: str, id: str) -> str:
    if not base:
        return ""
    if here:
        return f"{base}/record?entity={table}&id={id}"
    return f"{base}/main.aspx?etn={table}&id={id}&pagetype=entityrecord"
