"""The triggers' statements are planned once a session, maybe for a single row: a page joined by that plan is squared."""

from django.db import migrations

TABLES = ("link", "dynamicsrecord", "marketoperson", "failure", "decision", "conflict", "pendingwrite")


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0009_overview'),
    ]

    operations = [
        migrations.RunSQL(
            f"ALTER FUNCTION store_touch_{table}() SET enable_nestloop = off",
            f"ALTER FUNCTION store_touch_{table}() RESET enable_nestloop",
        )
        for table in TABLES
    ]
