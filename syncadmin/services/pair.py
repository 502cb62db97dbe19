"""Finds each Dynamics record its Marketo person: look-up over there, then one decision per group of candidates."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction

from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.candidates import Match, MatchKind, Several
from syncadmin.engine.failures import Cause
from syncadmin.engine.pairing import match_group
from syncadmin.engine.records import Lane, Record, Side, Table
from syncadmin.services import failing, linking, qualify, questions, suppression
from syncadmin.services.context import Context
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import ledger, locks, mirror, pairing
from syncadmin.store.models import Failure, Run
from syncadmin.store.pairing import DueRecord

log = logging.getLogger(__name__)
# Marketo answers 300 filter values a call.
_BATCH = 300
# So many are stored and paired in one transaction, unless asking for them takes longer than this.
_TOGETHER = 5 * _BATCH
_ENOUGH = timedelta(seconds=1)
_OPERATION = "pair"


def look_up(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Step:
    """Asks Marketo for the people of new records, 300 at a time, and stores some such calls' answers together."""
    with locks.try_session(locks.Lock.LOOK_UP, list(Lane).index(lane)) as mine:
        records = pairing.due("look_up", lane, _TOGETHER, lock=False) if mine else []
        if not records:
            return NOTHING
        seen = ctx.now()
        asked, found, trouble = _ask_for(ctx, book, records, lane)
        ctx.border("pair.look_up")
        with transaction.atomic():
            store_people(ctx, book, found, lane, seen, run)
            counts = _pair_or_note(ctx, book, [one.guid for one in asked], lane, run)
    ctx.border("pair.batch")
    if trouble is not None:
        raise trouble
    return did(len(records) == _TOGETHER or len(asked) < len(records), looked_up=len(asked), **counts)


def _ask_for(
    ctx: Context, book: Rulebook, records: Sequence[DueRecord], lane: Lane
) -> tuple[list[DueRecord], list[Record], ConnectorError | None]:
    """Who was asked for, by our Dynamics-id field and by e-mail, who was found, and what stopped it half way."""
    begun, asked, found = ctx.now(), list[DueRecord](), list[Record]()
    for start in range(0, len(records), _BATCH):
        chunk = records[start : start + _BATCH]
        try:
            found += _find(ctx, book, chunk, lane)
        except ConnectorError as error:
            if not asked:
                raise
            return asked, found, error
        asked += chunk
        # Where calls have to wait for their turn, live changes must not wait for many of them.
        if ctx.now() - begun > _ENOUGH:
            break
    return asked, found, None


def _find(ctx: Context, book: Rulebook, records: Sequence[DueRecord], lane: Lane) -> list[Record]:
    connector, fields = ctx.marketo.for_work(lane, "look up"), book.person_fields()
    emails = sorted({one.email for one in records if one.email})
    found: list[Record] = []
    if book.options.guid_field in book.schemas[Table.PERSON].columns:
        found += connector.find(Table.PERSON, book.options.guid_field, [one.guid for one in records], fields)
    if emails:
        found += connector.find(Table.PERSON, "email", emails, fields)
    return found


def _pair_or_note(ctx: Context, book: Rulebook, guids: Sequence[str], lane: Lane, run: Run) -> dict[str, int]:
    """Pairs at once: to note that these are to be paired would write every record once more. A preview only notes it."""
    if not book.options.started:
        pairing.looked_up(guids)
        return {}
    locks.wait_in_transaction(locks.Lock.PAIRING)
    records = pairing.still_due("look_up", guids)
    return _decide_all(ctx, book, records, lane, run) if records else {}


def batch(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Step:
    """Decides about up to 300 records that were looked up, with everybody who could be the same person."""
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.PAIRING)
        records = pairing.due("pair", lane, _BATCH, lock=True)
        if not records:
            return NOTHING
        counts = _decide_all(ctx, book, records, lane, run)
    ctx.border("pair.batch")
    return did(len(records) == _BATCH, **counts)


def _decide_all(ctx: Context, book: Rulebook, records: Sequence[DueRecord], lane: Lane, run: Run) -> dict[str, int]:
    try:
        with transaction.atomic():
            return _decide(ctx, book, records, lane, run)
    except (ConnectorError, OperationalError):
        raise
    except IntegrityError as error:
        # Another worker was faster, or two records want one place.
        log.info("run %s: %s", run.pk, error)
    except Exception:
        log.exception("run %s: %s records cannot be paired together", run.pk, len(records))
    # Whoever it is about is found by deciding one by one; only these are held up.
    return _one_by_one(ctx, book, records, lane, run)


def _one_by_one(ctx: Context, book: Rulebook, records: Sequence[DueRecord], lane: Lane, run: Run) -> dict[str, int]:
    """A fault of ours about one record is its own: it is told, and the others are paired."""
    counts: Counter[str] = Counter()
    for one in records:
        try:
            counts.update(_again_if_clashed(ctx, book, one, lane, run))
        except (ConnectorError, OperationalError):
            raise
        except Exception as fault:
            log.exception("record %s cannot be paired", one.guid)
            _tell_broken(one, fault, run, ctx.now())
    return dict(counts)


def _again_if_clashed(ctx: Context, book: Rulebook, one: DueRecord, lane: Lane, run: Run) -> dict[str, int]:
    """What clashed with another worker's change is decided again, as that change is known now."""
    try:
        with transaction.atomic():
            return _decide(ctx, book, [one], lane, run)
    except IntegrityError:
        with transaction.atomic():
            return _decide(ctx, book, [one], lane, run)


def _tell_broken(one: DueRecord, fault: Exception, run: Run, now: datetime) -> None:
    row = Failure(
        subject=f"dynamics:{one.guid}",
        side=Side.DYNAMICS,
        operation=_OPERATION,
        cause=Cause.UNKNOWN,
        message=f"{type(fault).__name__}: {fault}"[:4000],
        opened_at=now,
        last_at=now,
        run=run,
    )
    ledger.activities(failing.opened(row, person=None, table=one.table, guid=one.guid, now=now, run=run))
    pairing.settle([(one.guid, "", "broken")])


def _decide(ctx: Context, book: Rulebook, records: Sequence[DueRecord], lane: Lane, run: Run) -> dict[str, int]:
    now = ctx.now()
    erased = suppression.erased([(one.guid, one.email) for one in records])
    states = {one.guid: ("", "erased") for one in records if one.guid in erased}
    wanted = [one for one in records if one.guid not in erased]
    group = pairing.group(wanted)
    matches = questions.answered(match_group(group, Several(book.options.several)), group)
    asked = {one.guid for one in wanted}
    counts: dict[str, int] = {}
    # What is due of others in the group waits for its own turn, but what is waiting is decided together with these.
    decided = [one for one in matches if one.ref.id in asked or one.kind in (MatchKind.WAIT, MatchKind.DECIDE)]
    waited = [one.wait_for.partition(":")[2] for one in records if one.wait_for]
    put = questions.ask(decided, group, waited, run, now)
    _link(decided, lane, run, now)
    late = _create(decided, lane, run, now)
    for match in decided:
        states[match.ref.id] = ("waiting", "create") if match.ref.id in late else _carry_out(ctx, book, match, put, run)
        counts[match.kind] = counts.get(match.kind, 0) + 1
    for one in records:
        if one.guid not in states:  # deleted, filtered or linked meanwhile: nothing is left to decide
            questions.forget(one.table, one.guid, one.email, now)
            mirror.mark_waiting([one.email], lane)
            states[one.guid] = ("", "")
    pairing.settle([(guid, due, why) for guid, (due, why) in states.items()])
    _mend(list(states), now)
    return counts


def _mend(guids: Sequence[str], now: datetime) -> None:
    """Closes what was broken about records that could be paired this time."""
    subjects = {f"dynamics:{guid}" for guid in guids}
    for row in Failure.objects.filter(subject__among=subjects, operation=_OPERATION, closed_at=None):
        ledger.close_failures(row.subject, row.side, [""], now=now)


def _link(decided: Sequence[Match], lane: Lane, run: Run, now: datetime) -> None:
    pairs = [
        linking.Pair(one.ref, int(one.partner.id), one.reason)
        for one in decided
        if one.kind is MatchKind.LINK and one.partner is not None
    ]
    linking.link_all(pairs, lane=lane, run=run, now=now)


def _create(decided: Sequence[Match], lane: Lane, run: Run, now: datetime) -> set[str]:
    """Claims the creates; answers those that wait for another with the same e-mail."""
    wanted = [(one.ref, one.by_id) for one in decided if one.kind is MatchKind.CREATE_IN_MARKETO]
    return linking.create_people(wanted, lane=lane, run=run, now=now)


def _carry_out(ctx: Context, book: Rulebook, match: Match, asked: Mapping[str, str], run: Run) -> tuple[str, str]:
    """Does what is left to do for one record; answers its new state of pairing and why."""
    match match.kind:
        case MatchKind.LINK | MatchKind.CREATE_IN_MARKETO:
            return "", ""
        case MatchKind.ADOPT if match.partner is not None:
            moved = qualify.move(ctx, book, match.partner, match.ref, run)
            return ("", "") if moved else ("waiting", pairing.IN_FLIGHT)
        case MatchKind.WAIT:
            partner = match.partner.id if match.partner else ""
            return "waiting", f"{match.reason}:{partner}"
        case MatchKind.DECIDE:
            return "decision", f"{match.reason}:{asked.get(match.ref.id, '')}"
        case _:
            return "", str(match.reason)
