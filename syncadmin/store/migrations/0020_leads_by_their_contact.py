"""Which leads name a contact is asked for whoever is paired, and read the whole mirror."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0019_notes_by_statement"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dynamicsrecord",
            index=models.Index(
                condition=models.Q(("parent_contact__isnull", False)), fields=["parent_contact"], name="dynamics_parent"
            ),
        ),
    ]
