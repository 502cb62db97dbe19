"""One note for what a statement changed, and not one for each row: eight a person were written, read and deleted.

A note names at most ``PART`` rows, so that a bite of notes stays one however much a statement changes.
"""

import re
from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

PART = 500
BODIES = import_module("syncadmin.store.migrations.0008_listed_people").BODIES
# Row by row, and as good as never called.
MOVED = """
    INSERT INTO store_touched (link, dynamics, marketo) SELECT v.link, NULL, NULL
        FROM (VALUES (OLD.link_id), (NEW.link_id)) v(link) WHERE v.link IS NOT NULL;
"""
TOGETHER = f"""
    INSERT INTO store_touched (links, records, people, size)
    SELECT array_agg(v.link::bigint) FILTER (WHERE v.link IS NOT NULL),
           array_agg(v.dynamics::uuid) FILTER (WHERE v.dynamics IS NOT NULL),
           array_agg(v.marketo::bigint) FILTER (WHERE v.marketo IS NOT NULL), count(*)
    FROM (SELECT n.*, (row_number() OVER () - 1) / {PART} AS part
          FROM (SELECTED) AS n(link, dynamics, marketo)) v GROUP BY v.part;
"""
SINGLE = re.compile(r"INSERT INTO store_touched \(link, dynamics, marketo\)\s+(SELECT .*?);", re.DOTALL)


def together(body):
    return SINGLE.sub(lambda found: TOGETHER.replace("SELECTED", found[1]), body)


def functions():
    for name, body in {**{f"touch_{table}": body for table, body in BODIES.items()}, "touch_moved_write": MOVED}.items():
        yield migrations.RunSQL(function(name, together(body)), function(name, body))


def function(name, body):
    # Planned once a session, maybe for a single row: a page joined by that plan would be squared.
    return f"""CREATE OR REPLACE FUNCTION store_{name}() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off
               AS $$ BEGIN {body} RETURN NULL; END $$"""


def array(inner):
    return django.contrib.postgres.fields.ArrayField(base_field=inner, null=True, size=None)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0018_waiting_by_address"),
    ]

    operations = [
        migrations.AddField("touched", "links", array(models.BigIntegerField())),
        migrations.AddField("touched", "records", array(models.UUIDField())),
        migrations.AddField("touched", "people", array(models.BigIntegerField())),
        migrations.AddField("touched", "size", models.PositiveIntegerField(default=1, db_default=1)),
        *functions(),
        migrations.RunSQL(
            """UPDATE store_touched SET links = ARRAY[link] WHERE link IS NOT NULL;
               UPDATE store_touched SET records = ARRAY[dynamics] WHERE dynamics IS NOT NULL;
               UPDATE store_touched SET people = ARRAY[marketo] WHERE marketo IS NOT NULL""",
            "INSERT INTO store_touched (link, dynamics, marketo) SELECT unnest(links), unnest(records), unnest(people) FROM store_touched",
        ),
        migrations.RemoveField("touched", "link"),
        migrations.RemoveField("touched", "dynamics"),
        migrations.RemoveField("touched", "marketo"),
    ]
