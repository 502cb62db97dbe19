"""Lines of a person's history here, and of the person's activity log in Marketo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from syncadmin.engine.merge import Agreed
from syncadmin.engine.records import Lane, Side
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Link, PendingWrite, Run
from syncadmin.store.receipts import Left

# Longer texts are cut in history lines: a 10 MB description is told, not kept.
_LONGEST = 2_000


def line(
    kind: Kind,
    at: datetime,
    *,
    link: int | None = None,
    dynamics: str | None = None,
    marketo: int | None = None,
    side: Side | str = "",
    changes: Sequence[Sequence[Any]] = (),
    details: Mapping[str, Any] | None = None,
    who: str = "",
    run: Run | None = None,
) -> Activity:
    """One activity. ``changes`` are [pair key, old, new, rule]; values in comparable form."""
    return Activity(
        link_id=link,
        dynamics=dynamics,
        marketo=marketo,
        at=at,
        kind=kind,
        side=side,
        changes=[[change[0], short(change[1]), short(change[2]), *change[3:]] for change in changes],
        details=dict(details or {}),
        who=who,
        run_id=run.pk if run else None,
    )


def short(value: Any) -> Any:
    """A value as history keeps it. What our write replaced is kept whole up to 2,000 characters."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)})"
    return value


def log_entry(
    result: str,
    at: datetime,
    *,
    person: int,
    link: int | None,
    run: Run | None,
    attributes: Mapping[str, str] | None = None,
) -> PendingWrite:
    """A ``dynSync`` activity, to be posted to the person's activity log; Result is the primary attribute."""
    return PendingWrite(
        link_id=link,
        side=Side.MARKETO,
        op="log",
        table="person",
        target=str(person),
        values={
            "at": at.isoformat(),
            "primary": result,
            "attributes": {
                **{name: value for name, value in (attributes or {}).items() if value},
                **({"runId": str(run.pk)} if run else {}),
            },
        },
        state="waiting",
        lane=Lane.RETRY,
        decided_at=at,
        run=run,
    )


def crm(link: Link, base_url: str = "") -> dict[str, str]:
    """The attributes that name the Dynamics record."""
    guid = str(link.dynamics or "")
    url = f"{base_url}/main.aspx?etn={link.table}&id={guid}&pagetype=entityrecord" if base_url and guid else ""
    return {"crmEntity": link.table, "crmRecordId": guid, "crmUrl": url}


def changes(fields: Mapping[str, Any]) -> list[list[Any]]:
    """A write's fields as history lines show them: key, what was replaced, what was sent, and the rule."""
    return [[key, told["replaced"], told["sent"], told["rule"]] for key, told in sorted(fields.items())]


def of_create(agreed: Mapping[str, Agreed], to: Side, rule: str) -> dict[str, Any]:
    """What a create brings, by pair key, as an update's fields are noted: it replaces nothing."""
    return {
        key: {
            "sent": own.d if to is Side.DYNAMICS else own.m,
            "source": own.m if to is Side.DYNAMICS else own.d,
            "replaced": None,
            "rule": rule,
            "agreed": [own.d, own.m, own.n],
        }
        for key, own in agreed.items()
    }


def receipts(write: PendingWrite, sent: datetime, run: Run | None) -> list[Left]:
    """What a write to Marketo leaves behind until the change feed confirms it."""
    link, person, number = write.link_id or 0, int(write.target), run.pk if run else None
    return [
        Left(
            link=link,
            person=person,
            key=key,
            field=key.partition(":")[2],
            replaced=told["replaced"],
            sent=told["sent"],
            before=told["before"],
            rule=told["rule"],
            at=sent,
            run=number,
        )
        for key, told in write.fields.items()
    ]
