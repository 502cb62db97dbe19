"""Possible doubles: an address changed to one that another person or record has. It travels; the two are listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from syncadmin.engine.records import Ref
from syncadmin.store import ledger, pairing
from syncadmin.store.mirror import Change
from syncadmin.store.models import Decision, Run

KIND = "doubles"


def noticed(changes: Sequence[Change], emails: Mapping[str, str], run: Run | None, now: datetime) -> None:
    """Linked records of a page whose address differs from the one known before. ``emails`` is by record id."""
    moved = [change for change in changes if change.link and change.was and change.was["email"] != emails[change.id]]
    given = {emails[change.id] for change in moved} - {""}
    look(given | {str(change.was["email"]) for change in moved if change.was} - {""}, run, now, given)


def look(emails: Iterable[str], run: Run | None, now: datetime, given: Iterable[str] = ()) -> None:
    """Asks about those addresses just given to somebody that several humans have; forgets what is over."""
    wanted, fresh = set(emails), set(given)
    found = pairing.sharing(wanted) if wanted else {}
    for email in sorted(wanted):
        holders = found.get(email, {})
        if len(set(holders.values())) < 2:
            ledger.withdraw_decision(KIND, _subject(email), now=now)
        elif email in fresh and not _settled(email, holders):
            _ask(email, sorted(holders), run, now)


def _subject(email: str) -> str:
    return f"email:{email}"[:100]


def _settled(email: str, holders: Iterable[Ref]) -> bool:
    """Whether somebody said already that all of these are different people."""
    said = Decision.objects.filter(kind=KIND, subject=_subject(email), answer__choice="separate")
    known = {(face["table"], face["id"]) for row in said for face in row.facts["candidates"]}
    return {(str(ref.table), ref.id) for ref in holders} <= known


def _ask(email: str, holders: Sequence[Ref], run: Run | None, now: datetime) -> None:
    shown = pairing.faces(holders)
    candidates = [
        {"table": ref.table, "id": ref.id, "name": shown[ref].name, "email": shown[ref].email} for ref in holders
    ]
    ledger.decision(
        Decision(
            kind=KIND,
            subject=_subject(email),
            facts={"email": email, "candidates": candidates},
            choices=["separate"],
            opened_at=now,
            run=run,
        )
    )
