from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0015_lines_keep_their_run'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='pendingwrite',
            index=models.Index(condition=models.Q(('state', 'sent')), fields=['side', 'op'], name='write_sent'),
        ),
    ]
