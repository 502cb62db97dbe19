"""Qualifying a lead and merging two rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import errors
from .computed import default_status
from .payload import Changes, read
from .rows import manner
from .schema import Table
from .state import Row
from .values import guid
from .wire import Answer, Request, ok
from .write import Manner, Writer

_PREFIX = "Microsoft.Dynamics.CRM."
_FLAGS = ("donotbulkemail", "donotemail", "donotfax", "donotphone", "donotpostalmail", "donotsendmm")
_ADDRESS = tuple(
    f"address1_{part}" for part in ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")
)
_PERSON = (
    "salutation", "firstname", "middlename", "lastname", "jobtitle", "emailaddress1", "emailaddress2", "emailaddress3",
    "mobilephone", "telephone2", "telephone3", "fax", "pager", "websiteurl", "description",
)  # fmt: skip
_COMPANY = ("websiteurl", "sic", "fax", "telephone2", "emailaddress1", "description")
# What the shipped relationship mappings copy from a lead; lead column → column over there.
COPIES: dict[str, dict[str, str]] = {
    "contact": {name: name for name in (*_PERSON, *_ADDRESS, *_FLAGS)},
    "account": {"companyname": "name"} | {name: name for name in (*_COMPANY, *_ADDRESS, *_FLAGS)},
    "opportunity": {
        "subject": "name",
        "description": "description",
        "qualificationcomments": "qualificationcomments",
        "budgetamount": "budgetamount",
    },
}


@dataclass(frozen=True, slots=True)
class Qualification:
    """What a qualification is to create, and the rows it is given instead."""

    contact: bool = True
    account: bool = True
    opportunity: bool = False
    status: int | None = 3
    customer: tuple[str, str] | None = None
    currency: str | None = None
    campaign: str | None = None


class Lifecycle:
    def __init__(self, writer: Writer) -> None:
        self._writer, self._state = writer, writer.state

    # -- qualify

    def qualify_request(self, request: Request, id: str) -> Answer:
        body = request.json("leads")
        for name in ("CreateAccount", "CreateContact", "CreateOpportunity", "Status"):
            if name not in body:
                raise errors.payload("leads", f"Microsoft.OData.ODataException: The parameter '{name}' is missing.")
        wanted = Qualification(
            contact=body["CreateContact"] is True,
            account=body["CreateAccount"] is True,
            opportunity=body["CreateOpportunity"] is True,
            status=body["Status"],
            customer=self._given(body.get("OpportunityCustomerId")),
            currency=(self._given(body.get("OpportunityCurrencyId")) or (None, None))[1],
            campaign=(self._given(body.get("SourceCampaignId")) or (None, None))[1],
        )
        how = manner(request)
        if "SuppressDuplicateDetection" in body:
            how = Manner(how.actor, body["SuppressDuplicateDetection"] is False)
        made = self.qualify(id, wanted, how)
        value = [
            {"@odata.type": f"#{_PREFIX}{name}", self._state.schema.tables[name].id: row} for name, row in made.items()
        ]
        return ok({"@odata.context": f"{request.root}$metadata#crmbaseentityset", "value": value})

    def _given(self, reference: Any) -> tuple[str, str] | None:
        """Table and id of an entity reference in an action's body."""
        if reference is None:
            return None
        table = self._state.schema.tables.get(str(reference.get("@odata.type", "")).lstrip("#").removeprefix(_PREFIX))
        id = guid(reference.get(table.id)) if table else None
        if table is None or id is None:
            raise errors.payload("leads", "Microsoft.OData.ODataException: The entity reference is not complete.")
        if self._state.get(table.name, id) is None:
            raise errors.absent(table.name, id)
        return table.name, id

    def qualify(self, id: str, wanted: Qualification, how: Manner) -> dict[str, str]:
        """Close the lead as qualified and create what is wanted; returns the new ids by table."""
        lead, leads = self._state.get("lead", id), self._state.schema.tables["lead"]
        if lead is None:
            raise errors.absent("lead", id)
        if lead.get("statecode") != 0:
            raise errors.ApiError(400, "0x80040519", "The lead is already closed.")
        option = leads.columns["statuscode"].option(wanted.status)
        if option is None or option.extra != 1:
            raise errors.bad_status(wanted.status, "lead", "Qualified", id)
        if (
            wanted.account
            and "prvCreateAccount" in self._writer.settings["missing"]
            and how.actor.who.startswith("api:")
        ):
            raise errors.ApiError(403, "0x80081018", "You do not have the privilege to create accounts.")
        made = self._make(id, lead, wanted, how)
        changes: Row = {"statecode": 1, "statuscode": wanted.status}
        for name in ("account", "contact"):
            if name in made:
                changes.update({f"parent{name}id": made[name], f"parent{name}id@type": name})
        if "opportunity" in made:
            changes.update(
                {"qualifyingopportunityid": made["opportunity"], "qualifyingopportunityid@type": "opportunity"}
            )
        self._writer.update(leads, id, Changes(changes), how, action="qualify")
        return made

    def _make(self, id: str, lead: Row, wanted: Qualification, how: Manner) -> dict[str, str]:
        made: dict[str, str] = {}
        if wanted.account:
            made["account"] = self._copy("account", id, lead, {}, how)
        account = made.get("account") or lead.get("parentaccountid")
        if wanted.contact:
            parent = {"parentcustomerid": account, "parentcustomerid@type": "account"} if account else {}
            made["contact"] = self._copy("contact", id, lead, parent, how)
        if wanted.account and wanted.contact:
            primary: Row = {"primarycontactid": made["contact"], "primarycontactid@type": "contact"}
            self._writer.update(self._state.schema.tables["account"], made["account"], Changes(primary), how)
        if wanted.opportunity:
            made["opportunity"] = self._copy("opportunity", id, lead, self._deal(lead, made, account, wanted), how)
        return made

    def _deal(self, lead: Row, made: dict[str, str], account: str | None, wanted: Qualification) -> Row:
        contact = made.get("contact") or lead.get("parentcontactid")
        customer = wanted.customer or (("account", account) if account else ("contact", contact) if contact else None)
        deal: Row = {}
        if customer:
            deal.update({"customerid": customer[1], "customerid@type": customer[0]})
        if wanted.campaign:
            deal.update({"campaignid": wanted.campaign, "campaignid@type": "campaign"})
        if wanted.currency:
            deal.update({"transactioncurrencyid": wanted.currency, "transactioncurrencyid@type": "transactioncurrency"})
        return deal

    def _copy(self, entity: str, id: str, lead: Row, more: Row, how: Manner) -> str:
        table = self._state.schema.tables[entity]
        values = {there: lead[here] for here, there in COPIES[entity].items() if here in lead and table.has(there)}
        for name in ("ownerid", "ownerid@type"):
            values[name] = lead[name]
        values |= {"originatingleadid": id, "originatingleadid@type": "lead", **more}
        return self._writer.create(table, Changes(values), how)

    # -- merge

    def merge_request(self, request: Request) -> Answer:
        body = request.json("Merge")
        target, loser = self._given(body.get("Target")), self._given(body.get("Subordinate"))
        if target is None or loser is None or "PerformParentingChecks" not in body:
            raise errors.payload(
                "Merge", "Microsoft.OData.ODataException: Target, Subordinate and PerformParentingChecks are required."
            )
        if target[0] != loser[0] or target[0] not in ("lead", "contact", "account") or target[1] == loser[1]:
            raise errors.ApiError(400, "0x80040203", "The records to be merged must be two of the same table.")
        self.merge(target[0], target[1], loser[1], manner(request), body.get("UpdateContent") or {})
        return Answer(204)

    def merge(
        self, entity: str, master: str, loser: str, how: Manner, content: Mapping[str, Any] | None = None
    ) -> None:
        """Deactivate the loser in favour of the master, which takes over its related rows and `content`."""
        table = self._state.schema.tables[entity]
        for id in (master, loser):
            if self._state.get(entity, id) is None:
                raise errors.absent(entity, id)
        if (self._state.get(entity, loser) or {}).get("merged"):
            raise errors.ApiError(400, "0x80040203", "The subordinate record has been merged before.")
        self._move(table, master, loser, how)
        changes = read(self._state, table, content or {}, False, {})
        if changes.values:
            self._writer.update(table, master, changes, how, action="merge")
        state = 2 if entity == "lead" else 1
        values: Row = {"merged": True, "masterid": master, "masterid@type": entity, "statecode": state}
        values["statuscode"] = default_status(table, state)
        self._writer.update(table, loser, Changes(values), Manner(how.actor, guarded=False), action="merge")

    def _move(self, table: Table, master: str, loser: str, how: Manner) -> None:
        for relation in self._state.schema.collections(table.name).values():
            # An earlier loser keeps naming the master it was merged into.
            if relation.column == "masterid":
                continue
            source = self._state.schema.tables[relation.source]
            for id in self._state.matching(source.name, (relation.column,), (loser,)):
                row = self._state.get(source.name, id) or {}
                if row.get(f"{relation.column}@type", table.name) == table.name and id != master:
                    values: Row = {relation.column: master, f"{relation.column}@type": table.name}
                    self._writer.update(source, id, Changes(values), Manner(how.actor, guarded=False), action="merge")
