"""Indexes that only the screens need: lists by name, search by the beginning of a word or an address, the backlog.

Plain SQL, since they are made of expressions. Folded names in the order of code points are one order on every server.
"""

from django.db import migrations

TABLES = {"link": "store_link", "dynamics": "store_dynamicsrecord", "marketo": "store_marketoperson"}


def statements():
    for short, table in TABLES.items():
        yield (
            f'CREATE INDEX {short}_by_name ON {table} ((lower(name) COLLATE "C"), id)',
            f"DROP INDEX {short}_by_name",
        )
        yield (
            f"CREATE INDEX {short}_by_word ON {table} USING gin (to_tsvector('simple', name))",
            f"DROP INDEX {short}_by_word",
        )
        yield (
            f"CREATE INDEX {short}_by_address ON {table} (email COLLATE \"C\")",
            f"DROP INDEX {short}_by_address",
        )
    yield (
        'CREATE INDEX write_backlog ON store_pendingwrite (side, op, "table", decided_at)',
        "DROP INDEX write_backlog",
    )
    yield (
        'CREATE INDEX link_stopped ON store_link ((lower(name) COLLATE "C"), id) WHERE stopped',
        "DROP INDEX link_stopped",
    )
    yield (
        'CREATE INDEX link_gone ON store_link ((lower(name) COLLATE "C"), id) WHERE dynamics_deleted OR marketo_deleted',
        "DROP INDEX link_gone",
    )


class Migration(migrations.Migration):
    dependencies = [("store", "0003_pair_kinds")]

    operations = [migrations.RunSQL(forwards, backwards) for forwards, backwards in statements()]
