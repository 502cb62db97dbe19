"""What must be true after a schedule, judged from both sandboxes' rows and truth logs and from what our pages would say.

Independent of the engine: equality is ``people.plain``, and of our tables it reads only what a person could read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncadmin.engine.fields import Direction, FieldPair, Winner
from syncadmin.proof import losses
from syncadmin.proof.hands import Hands
from syncadmin.proof.people import BY_COLUMN, FILTER, plain
from syncadmin.proof.witness import Witness
from syncadmin.proof.world import World, pairs_in_force
from syncadmin.store import options
from syncadmin.store.models import Decision, DynamicsRecord, Failure, Link, PendingWrite

OURS = "api:sandbox"
# Longer than any system carries out what it was sent.
_TAKEN_OVER = timedelta(minutes=15)
# What a person carries of its record, in the order in which it is compared.
_OWN = ("@guid", "@type", "@deleted")


@dataclass(frozen=True, slots=True)
class _Told:
    """What our pages say now: failures, decisions and backlog, read once for all links."""

    failures: list[Failure]
    decisions: list[Decision]
    records: dict[str, DynamicsRecord]
    writes: list[PendingWrite]
    first_blanks: bool

    @classmethod
    def now(cls) -> _Told:
        records = {str(one.guid): one for one in DynamicsRecord.objects.all()}
        blanks = options.read().first_contact == "blanks"
        writes = list(PendingWrite.objects.all())
        return cls(list(Failure.objects.all()), list(Decision.objects.all()), records, writes, blanks)

    def failed(self, *subjects: str) -> list[Failure]:
        """Open failures of these subjects; of all, if none is named."""
        return [one for one in self.failures if one.closed_at is None and (not subjects or one.subject in subjects)]

    def asks(self, link: Link, kind: str = "") -> bool:
        """Whether a question about the link waits for its answer."""
        return any(
            one.link_id == link.pk and one.answered_at is None and kind in ("", one.kind) for one in self.decisions
        )


def check(world: World, hands: Hands, witness: Witness) -> list[str]:
    """Every broken invariant, each with its number in docs/reliability.md."""
    links = list(Link.objects.order_by("id"))
    pairs = pairs_in_force()
    told = _Told.now()
    broken: list[str] = []
    for link in links:
        broken += _existence(world, link, told)
        broken += _convergence(world, link, pairs, told)
        broken += _qualified(world, link, told)
    broken += _forgotten(told, hands, links)
    broken += _stuck(world, told)
    broken += [f"0: {one.subject} raised {one.message}" for one in told.failures if _ours(one)]
    broken += losses.check(world, witness)
    return broken


def _ours(failure: Failure) -> bool:
    """A step that raised, or a link or record that did: the product goes on with the others, and its page says so."""
    return failure.code == "fault" or failure.operation in ("pair", "merge")


def silent(world: World, before: tuple[int, int]) -> list[str]:
    """The run after the calm wrote nothing."""
    broken = []
    for log, since in zip((world.dynamics.truth, world.marketo.truth), before, strict=True):
        for entry in log.since(since):
            if entry.who == OURS:
                what = f"{entry.entity} {entry.record} {entry.field}: {entry.old!r} -> {entry.new!r}"
                broken.append(f"2: the run after the calm wrote {entry.action} {what}")
    return broken


def row_of(world: World, link: Link) -> dict[str, Any] | None:
    return world.dynamics.get(link.table, str(link.dynamics)) if link.dynamics else None


def person_of(world: World, link: Link) -> dict[str, Any] | None:
    return world.marketo.get("person", str(link.marketo)) if link.marketo else None


def _existence(world: World, link: Link, told: _Told) -> Iterator[str]:
    """Deletes are believed by notice only, and every notice is believed."""
    row, person = row_of(world, link), person_of(world, link)
    who = f"link {link.pk} ({link.table} {link.dynamics}, person {link.marketo})"
    # The loser of a merge is told to its person like a deleted record, and so is a lead whose contact lost one.
    merged = row is not None and bool(row.get("merged"))
    stands_for_another = merged or bool(row and row.get("parentcontactid") and link.stopped and _decided(link, told))
    if link.dynamics and (row is None) != link.dynamics_deleted and not stands_for_another:
        yield f"11: {who} says dynamics_deleted={link.dynamics_deleted}, there it is {'gone' if row is None else 'alive'}"
    if link.marketo and (person is None) != link.marketo_deleted:
        yield f"11: {who} says marketo_deleted={link.marketo_deleted}, there it is {'gone' if person is None else 'alive'}"
    filtered = row is not None and row.get(FILTER) is False
    if filtered and not link.stopped:
        yield f"1: {who} is filtered out and goes on"
    asked = _decided(link, told)
    if merged:
        return
    if link.stopped and not filtered and row is not None and not asked:
        yield f"1: {who} stands still although its filter says Yes"
    if link.dynamics and link.marketo is None and row is not None and not (filtered or asked or _excused(link, told)):
        yield f"1: {who} never got its person"


def _qualified(world: World, link: Link, told: _Told) -> Iterator[str]:
    """Once its lead is qualified, a person belongs to the contact, if that may be synced."""
    row = row_of(world, link)
    if row is None or link.table != "lead" or link.marketo is None or link.stopped or row.get("statecode") != 1:
        return
    contact = world.dynamics.get("contact", str(row.get("parentcontactid") or ""))
    if contact is None or contact.get(FILTER) is False or contact.get("merged") or _decided(link, told):
        return
    if str(contact.get("originatingleadid")) == str(link.dynamics) and not _excused(link, told):
        yield f"6: link {link.pk} stays with lead {link.dynamics}, which is contact {contact['contactid']} now"


def _decided(link: Link, told: _Told) -> bool:
    """A merge of two linked records or people is asked about; the answer may end one of the two links."""
    return any(
        one.kind in ("dynamics_merge", "links_meeting")
        and (one.link_id == link.pk or _second(one.facts.get("winner_record")) == str(link.dynamics))
        for one in told.decisions
    )


def _second(parts: list[Any] | None) -> Any:
    return parts[1] if parts and len(parts) > 1 else None


def _excused(link: Link, told: _Told) -> bool:
    """Something on the person's page says why nothing goes on."""
    if told.failed(f"link:{link.pk}", f"dynamics:{link.dynamics}") or told.asks(link):
        return True
    mirror = told.records.get(str(link.dynamics))
    return mirror is not None and mirror.due in ("waiting", "decision")


def _convergence(world: World, link: Link, pairs: list[FieldPair], told: _Told) -> Iterator[str]:
    row, person = row_of(world, link), person_of(world, link)
    if row is None or person is None or link.stopped or link.dynamics_deleted or row.get(FILTER) is False:
        untold = person is not None and link.dynamics_deleted and row is None and not person.get("dynDeleted")
        if untold and not _refused(link, told, "@deleted"):
            yield f"1: person {link.marketo} is not told that {link.table} {link.dynamics} is deleted"
        return
    for pair in pairs:
        if pair.table != link.table or pair.paused:
            continue
        field = BY_COLUMN[pair.dynamics]
        d = plain(field, "dynamics", link.table, row.get(pair.dynamics))
        m = plain(field, "marketo", link.table, person.get(pair.marketo))
        # What an account leaves out of its answers is not known to be empty, so nothing can be done about it.
        unknown = person.get(pair.marketo) is None and not world.marketo.state.knobs.empty_fields
        if d != m and not unknown:
            yield from _difference(link, pair, d, m, told)
    carried = (
        str(person.get("dynPersonGuid") or "").lower(),
        person.get("dynPersonType"),
        bool(person.get("dynDeleted")),
    )
    wanted = (str(link.dynamics), link.table.title(), False)
    wrong = [name for name, is_, ought in zip(_OWN, carried, wanted, strict=True) if is_ != ought]
    if world.marketo.state.knobs.empty_fields and not all(_refused(link, told, name) for name in wrong):
        yield f"1: person {link.marketo} carries {carried}, not {wanted}"


def _refused(link: Link, told: _Told, own: str) -> bool:
    """Whether the page says that Marketo refused this field of ours, or the whole write: either waits for a change."""
    found = told.failed(f"link:{link.pk}")
    return any(one.side == "marketo" and one.key.partition(":")[0] in ("", f"{link.table}.{own}") for one in found)


def _difference(link: Link, pair: FieldPair, d: Any, m: Any, told: _Told) -> Iterator[str]:
    """A difference is right if the person page gives a reason for it, and the reason is true."""
    why = link.held.get(pair.key, {}).get("why")
    failed = {one.key for one in told.failed(f"link:{link.pk}")}
    legal = {
        "direction": pair.direction is not Direction.BOTH or BY_COLUMN[pair.dynamics].form == "state",
        "blank": not pair.blanks_travel,
        "ask": pair.winner is Winner.ASK or told.asks(link, "ask"),
        "failure": pair.key in failed,
        "two_automations": pair.key in failed,
        "first_blanks": told.first_blanks,
    }
    whole = any(f"*{side}" in link.held for side in ("dynamics", "marketo")) and "" in failed
    if not whole and not legal.get(why or "", False):
        yield f"1: {pair.key} of link {link.pk} stays {d!r} / {m!r}, held: {why!r}"


def _forgotten(told: _Told, hands: Hands, links: list[Link]) -> Iterator[str]:
    """Every record that passes the filter is linked, waits for a decision, or stands behind one that is."""
    linked = {str(link.dynamics) for link in links}
    failed = {one.subject for one in told.failed()}
    records = hands.records()
    # A merge hands on what the loser was qualified into: the contact names the master then, and is the same human.
    kept = linked | {guid for guid, one in told.records.items() if one.due in ("waiting", "decision")}
    origins = {str(row.get("originatingleadid")) for _, row in records if str(row.get("contactid")) in kept}
    for table, row in records:
        guid = str(row[f"{table}id"])
        if guid in linked or row.get(FILTER) is False or row.get("merged") or f"dynamics:{guid}" in failed:
            continue
        # Qualified, reopened or not: the link stays with the contact.
        if table == "lead" and (row.get("parentcontactid") or guid in origins):
            continue
        mirror = told.records.get(guid)
        if mirror is None or mirror.due not in ("waiting", "decision"):
            yield f"1: {table} {guid} is forgotten (due: {mirror and mirror.due!r})"
        elif mirror.due == "waiting" and not _comes(mirror.wait_for, mirror.email, told, records):
            yield f"1: {table} {guid} waits for {mirror.wait_for}, which never comes"


def _stuck(world: World, told: _Told) -> Iterator[str]:
    """Nothing holds up a write for long that was sent: without an answer it is taken over."""
    for one in told.writes:
        if one.state == "sent" and one.sent_at is not None and world.clock() - one.sent_at > _TAKEN_OVER:
            yield f"1: {one.op} of {one.target} in {one.side} was sent at {one.sent_at:%H:%M:%S} and never settled"


def _comes(what: str, email: str, told: _Told, records: list[tuple[str, dict[str, Any]]]) -> bool:
    """Whether what the page says that a record waits for can still come: a write, or another record that is there."""
    why, _, partner = what.partition(":")
    if not partner:
        return any(one.op != "log" and (why != "create" or one.email == email) for one in told.writes)
    return any(str(row[f"{table}id"]) == partner and not row.get("merged") for table, row in records)
