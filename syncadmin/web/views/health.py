"""For probes: whether this process can do its work."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse

from syncadmin.web.access import open_to_all


@open_to_all
def healthz(request: HttpRequest) -> HttpResponse:
    """200 once the database answers; an error of the database is a 500."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
