"""Reads the list for batch Sync Person as a whole: at the start, and once a day for additions nobody told us of."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from syncadmin.connectors.errors import CursorExpired
from syncadmin.engine.records import Lane
from syncadmin.services import sync_person
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import work

LIST = "marketo.list"
EVERY = timedelta(days=1)


def batch(ctx: Context, book: Rulebook) -> Step:
    """One page of members. Who was ever asked for is left out: the list must not bring back what somebody deleted."""
    list_id = book.options.list_id
    found = work.checkpoint(LIST)
    another = found.position.get("list") != list_id
    resting = not found.cursor and found.as_of is not None and ctx.now() - found.as_of < EVERY
    if not list_id or (resting and not another):
        return NOTHING
    try:
        page = ctx.marketo.for_work(Lane.RETRY, "list").members(list_id, "" if another else found.cursor)
    except CursorExpired:
        work.move(found, "", as_of=None, run=None)
        return did(True)
    with transaction.atomic():
        now = ctx.now()
        as_of = None if page.more else now
        position = {"list": list_id}
        if not work.move(found, page.token if page.more else "", as_of=as_of, run=None, position=position):
            return did(True)
        people = [int(person) for person in page.people]
        asked = sync_person.queue(people, sync_as="lead", source="list", now=now, again=False)
    return did(page.more, listed=asked)
