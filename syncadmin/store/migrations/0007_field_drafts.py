from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0006_planned_writes'),
    ]

    operations = [
        migrations.CreateModel(
            name='FieldDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=8)),
                ('dynamics', models.CharField(max_length=100)),
                ('pair', models.JSONField(null=True)),
                ('who', models.CharField(max_length=150)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='FieldSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(unique=True)),
                ('saved_at', models.DateTimeField()),
                ('saved_by', models.CharField(max_length=150)),
                ('source', models.PositiveIntegerField(null=True)),
            ],
        ),
        migrations.RemoveField(
            model_name='pausedpair',
            name='reason',
        ),
        migrations.AddField(
            model_name='pausedpair',
            name='code',
            field=models.CharField(default='gone', max_length=20),
        ),
        migrations.AddField(
            model_name='pausedpair',
            name='facts',
            field=models.JSONField(default=dict),
        ),
        migrations.AddConstraint(
            model_name='fielddraft',
            constraint=models.UniqueConstraint(fields=('table', 'dynamics'), name='one_draft_per_column'),
        ),
    ]
