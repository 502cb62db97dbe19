"""A lead became a contact: the link moves, history goes on, and Dynamics is the authority from now on."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from syncadmin.engine.merge import Agreed
from syncadmin.engine.qualification import carry_over
from syncadmin.engine.records import Lane, Ref, Side, Table
from syncadmin.services import dropped, endings, history
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.store import cases, ledger, links, mirror
from syncadmin.store.kinds import Kind
from syncadmin.store.models import UNSENT, DynamicsRecord, Link, PendingWrite, Run


def move(ctx: Context, book: Rulebook, lead: Ref, contact: Ref, run: Run | None) -> bool:
    """Moves the lead's link to its contact. What both sides agreed on moves with it as far as the pairs allow.

    False: a write for the lead is on its way. The contact waits until that is over.
    """
    # Both in the order of their ids, as everybody locks them.
    both = Link.objects.select_for_update().filter(dynamics__in=[lead.id, contact.id]).order_by("id")
    link = next((one for one in both if str(one.dynamics) == lead.id), None)
    if link is None:
        return False  # the answer to our create of the lead is not stored yet
    if PendingWrite.objects.filter(link=link, state="sent").exists():
        mirror.mark_links([link.pk], Lane.LIVE)
        return False
    dropped.updates([link.pk], run, ctx.now())
    PendingWrite.objects.filter(link=link, op="create", state__in=UNSENT).update(target=contact.id)
    agreed = {key: Agreed(*values) for key, values in link.agreed.items()}
    keys = {bound.pair.marketo: bound.pair.key for bound in book.bounds[Table.CONTACT]}
    carried = carry_over(agreed, book.pairs(Table.LEAD), book.pairs(Table.CONTACT))
    mirrored = DynamicsRecord.objects.get(guid=contact.id)
    # The contact may have waited for a person of its own, in vain.
    links.pass_on([(contact.id, link.pk)], ctx.now())
    Link.objects.filter(pk=link.pk).update(
        table=Table.CONTACT,
        dynamics=UUID(contact.id),
        name=mirrored.name,
        email=mirrored.email,
        agreed={key: [one.d, one.m, one.n] for key, one in carried.items()},
        held=_to_put_back(link, keys),
        dynamics_deleted=False,
        stopped=False,
    )
    cases.rename_receipts(link.pk, Table.LEAD, keys)
    # What fails or is asked of the contact as well opens anew, under the contact's own column.
    endings.of_fields(link, run, ctx.now())
    # The lead lost a merge before its contact could take the link: that one is alive, and keeps its person.
    endings.withdraw(["dynamics_merge"], [link.pk], ctx.now())
    mirror.mark_links([link.pk], Lane.LIVE)
    details = {"lead": lead.id, "contact": contact.id}
    ledger.activities(
        [history.line(Kind.QUALIFIED, ctx.now(), link=link.pk, side=Side.DYNAMICS, details=details, run=run)]
    )
    return True


def _to_put_back(link: Link, keys: Mapping[str, str]) -> dict[str, object]:
    """As ``endings.to_put_back``, under the contact's keys."""
    back = {key.partition(":")[2]: held for key, held in endings.to_put_back(link).items()}
    return {keys[field]: held for field, held in back.items() if field in keys}
