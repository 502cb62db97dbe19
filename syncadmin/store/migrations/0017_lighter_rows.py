"""What a row of the sync costs to write: room in its page for the next version, and no index or key that nothing asks.

A version that finds room beside the one before it, and changes no indexed column, leaves the indexes alone.
"""

import django.db.models.deletion
from django.db import migrations, models

ROOM = {"link": 50, "pendingwrite": 50, "receipt": 50, "marketoperson": 50}


def run():
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        to="store.run",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0016_sent_writes"),
    ]

    operations = [
        migrations.AlterField(model_name="pendingwrite", name="run", field=run()),
        migrations.AlterField(model_name="receipt", name="run", field=run()),
        migrations.RemoveIndex(model_name="receipt", name="receipt_settled"),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", False)), fields=["settled_at"], name="receipt_settled"
            ),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE store_{table} SET (fillfactor = {full})",
                f"ALTER TABLE store_{table} RESET (fillfactor)",
            )
            for table, full in ROOM.items()
        ),
        # A write keeps its kind and its link, so an update of it says nothing about the list of people; its rows were
        # copied for that trigger each time they were claimed and sent. One that does move them still notes both.
        migrations.RunSQL(
            """
            DROP TRIGGER touch_pendingwrite_update ON store_pendingwrite;
            CREATE FUNCTION store_touch_moved_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO store_touched (link) SELECT v.link FROM (VALUES (OLD.link_id), (NEW.link_id)) v(link)
                    WHERE v.link IS NOT NULL;
                RETURN NULL;
            END $$;
            CREATE TRIGGER touch_pendingwrite_update AFTER UPDATE OF op, link_id ON store_pendingwrite
                FOR EACH ROW EXECUTE FUNCTION store_touch_moved_write()
            """,
            """
            DROP TRIGGER touch_pendingwrite_update ON store_pendingwrite;
            DROP FUNCTION store_touch_moved_write();
            CREATE TRIGGER touch_pendingwrite_update AFTER UPDATE ON store_pendingwrite
                REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
                FOR EACH STATEMENT EXECUTE FUNCTION store_touch_pendingwrite()
            """,
        ),
    ]
