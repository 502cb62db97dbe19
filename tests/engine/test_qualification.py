from __future__ import annotations

from syncadmin.engine.fields import FieldPair, pair_key
from syncadmin.engine.merge import Agreed, FieldState, FirstContact, Verdict, merge_field
from syncadmin.engine.qualification import carry_over
from syncadmin.engine.records import Side, Table
from tests.engine.cast import bind, column, field


def pair(table, dynamics, marketo):
    return FieldPair(pair_key(table, dynamics, marketo), table, dynamics, marketo)


def test_agreed_values_move_to_the_contacts_pairs_of_the_same_field():
    lead = [pair(Table.LEAD, "jobtitle", "title"), pair(Table.LEAD, "companyname", "company")]
    lead += [pair(Table.LEAD, "telephone3", "phone"), pair(Table.LEAD, "telephone1", "phone")]
    contact = [pair(Table.CONTACT, "jobtitle", "title"), pair(Table.CONTACT, "telephone1", "phone")]
    contact += [pair(Table.CONTACT, "department", "department"), pair(Table.CONTACT, "fax", "fax")]
    agreed = {one.key: Agreed(one.dynamics, one.marketo, n) for n, one in enumerate(lead)}
    assert carry_over(agreed, lead, contact) == {
        "contact.jobtitle:title": Agreed("jobtitle", "title", 0),
        "contact.telephone1:phone": Agreed("telephone1", "phone", 3),
    }


def test_what_the_column_mapping_changed_is_a_dynamics_change():
    bound = bind(column("jobtitle", table=Table.CONTACT), field("title"))
    lead = [pair(Table.LEAD, "jobtitle", "title")]
    moved = carry_over({lead[0].key: Agreed("CEO", "CEO")}, lead, [bound.pair])[bound.pair.key]
    result = merge_field(FieldState(bound, moved, "Chief", "CEO"), table=Table.CONTACT, first=FirstContact.RULE)
    assert (result.verdict, result.to, result.raw) == (Verdict.WRITE, Side.MARKETO, "Chief")
