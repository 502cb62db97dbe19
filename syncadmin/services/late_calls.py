"""Calls to Marketo that went out after others had taken their writes over: Marketo knows no condition on a write.

A worker may be stopped in the moment between its last look at what it may send and the call itself, for longer than
others wait. Its old value then stands over whatever is there by now, perhaps an edit that nobody has read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from syncadmin.engine.receipts import LATE
from syncadmin.engine.records import Side
from syncadmin.services import history
from syncadmin.store import cases
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, PendingWrite, Receipt, Run


def carried_out(
    late: Sequence[tuple[PendingWrite, str]], links: Mapping[int, Case], sent: datetime, run: Run, now: datetime
) -> list[Activity]:
    """Leaves receipts for writes, each with the request id of its call, that Marketo has carried out although they were
    taken over; their lines will tell what they replaced. The links are locked and take up what is agreed by it.

    Fields whose receipt is still there had arrived, or had been edited, when the write was taken over.
    """
    ids = [write.link_id for write, _ in late if write.link_id]
    kept = set(Receipt.objects.filter(link_id__among=ids, at=sent).values_list("link_id", "key"))
    known = {case.id: case for case in cases.load(ids)}
    rows: list[Receipt] = []
    lines: list[Activity] = []
    for write, request in late:
        case = known.get(write.link_id or 0)
        if case is None:
            continue
        fields = {key: told for key, told in write.fields.items() if (case.id, key) not in kept}
        # A link that has followed a merge to somebody else agrees to nothing by this.
        for key, told in fields.items() if str(case.marketo) == write.target else ():
            as_before = case.agreed.get(key) == told["before"]
            if as_before and told["agreed"] is not None:
                links[case.id].agreed[key] = told["agreed"]  # as good as in time
            rows.append(_receipt(case, key, told, request, run, now, late=not as_before))
        if fields:
            details = {"id": write.target, "table": write.table}
            changes = history.changes(fields)
            lines.append(
                history.line(
                    Kind.UPDATED, now, link=case.id, side=Side.MARKETO, changes=changes, details=details, run=run
                )
            )
    Receipt.objects.bulk_create(rows)
    return lines


def _receipt(
    case: Case, key: str, told: dict[str, Any], request: str, run: Run, now: datetime, *, late: bool
) -> Receipt:
    return Receipt(
        link_id=case.id,
        person=case.marketo or 0,
        key=key,
        field=key.partition(":")[2],
        # Late, any other value than the one sent is one that has to come back.
        replaced=told["sent"] if late else told["replaced"],
        sent=told["sent"],
        before=told["before"],
        rule=LATE if late else told["rule"],
        request_id=request,
        at=now,
        run=run,
    )
