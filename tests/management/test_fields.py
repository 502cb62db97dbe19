"""`manage.py fields`: the pairs in force out and in again, and every refusal leaves them as they were."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from syncadmin.store import fieldsets, options
from syncadmin.store.models import AuditEntry
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words):
    out = io.StringIO()
    call_command("fields", *words, stdout=out)
    return out.getvalue()


def in_force():
    return fieldsets.pairs(options.read().field_version)


def saved(tmp_path, rows):
    file = tmp_path / "pairs.json"
    file.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return str(file)


def test_what_is_printed_can_be_put_in_force_again(tmp_path):
    World()
    before = in_force()
    printed = run()

    assert printed == run("--suggested")
    assert f"{len(before)} field pairs are in force as version 2." in run(saved(tmp_path, printed))
    assert in_force() == before


def test_a_changed_set_is_in_force_with_the_next_batch(tmp_path):
    world = World()
    guid = world.dynamics.create(
        "lead", {"subject": "Pumps", "lastname": "King", "emailaddress1": "king@example.com", "jobtitle": "Boss"}
    )
    world.settle()
    rows = [row for row in json.loads(run()) if (row["table"], row["dynamics"]) != ("lead", "fax")]
    next(row for row in rows if (row["table"], row["dynamics"]) == ("lead", "jobtitle"))["winner"] = "dynamics"
    rows.append({"table": "lead", "dynamics": "websiteurl", "marketo": "website", "direction": "to_marketo"})
    run(saved(tmp_path, rows))

    person = str(world.link_of(guid).marketo)
    world.dynamics.edit("lead", guid, {"jobtitle": "Head", "websiteurl": "https://king.example"})
    world.marketo.edit("person", person, {"title": "Chief"})
    world.settle()

    assert world.person_of(guid)["title"] == "Head"
    assert world.person_of(guid)["website"] == "https://king.example"
    assert "lead.fax:fax" not in {pair.key for pair in in_force()}
    assert AuditEntry.objects.filter(action="fields").latest("at").who == "manage.py fields"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("{", "cannot be read"),
        ([], "no list of pairs"),
        ([{"table": "lead", "dynamics": "jobtitle"}], "Pair 1 needs table, dynamics and marketo"),
        ([{"table": "lead", "dynamics": "jobtitle", "marketo": "title", "key": "x"}], "has key, which no pair has"),
        (
            [{"table": "lead", "dynamics": "jobtitle", "marketo": "title", "winner": "newest"}],
            "winner is one of table, dynamics, marketo, ask, not 'newest'",
        ),
        ([{"table": "lead", "dynamics": "jobtitle", "marketo": "title", "shorten": "yes"}], "shorten is not 'yes'"),
        ([{"table": "lead", "dynamics": "nonsense", "marketo": "title"}], "no readable column nonsense"),
        ([{"table": "contact", "dynamics": "jobtitle", "marketo": "company"}], "paired for leads only"),
    ],
)
def test_a_wrong_file_changes_nothing(tmp_path, rows, why):
    World()
    before = options.read().field_version, in_force()
    with pytest.raises(CommandError, match=why):
        run(saved(tmp_path, rows))
    assert (options.read().field_version, in_force()) == before


def test_consent_columns_keep_their_rule_unless_told_otherwise(tmp_path):
    World()
    pair = {"table": "lead", "dynamics": "donotbulkemail", "marketo": "unsubscribed"}
    run(saved(tmp_path, [pair]))
    assert [one.consent for one in in_force()] == [True]
    run(saved(tmp_path, [{**pair, "consent": False}]))
    assert [one.consent for one in in_force()] == [False]
