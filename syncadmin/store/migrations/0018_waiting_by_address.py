"""Who waits for an address is found among those who wait, not among all who have it: every page that is stored asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0017_lighter_rows"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dynamicsrecord",
            index=models.Index(
                condition=models.Q(("due__in", ["waiting", "decision"])), fields=["email"], name="dynamics_waiting"
            ),
        ),
    ]
