"""The list of people in tables of its own, the triggers that note whom a change concerns, and a note about everybody.

The indexes that searched links and mirrors go: their rows are written often, and each of these was written with them.
"""

import datetime

from django.db import migrations, models

NOTE = "INSERT INTO store_touched (link, dynamics, marketo)"
# Of a link both records are noted when it takes or leaves them: whether they are alone has changed.
LINK = """
    IF TG_OP = 'INSERT' THEN
        {note} SELECT id, dynamics, marketo FROM fresh;
    ELSIF TG_OP = 'DELETE' THEN
        {note} SELECT id, dynamics, marketo FROM gone;
    ELSE
        {note} SELECT f.id, NULL, NULL FROM fresh f JOIN gone g ON g.id = f.id
            WHERE (f."table", f.dynamics, f.marketo, f.name, f.email, f.dirty, f.stopped, f.dynamics_deleted,
                   f.marketo_deleted, f.last_activity_at)
                  IS DISTINCT FROM
                  (g."table", g.dynamics, g.marketo, g.name, g.email, g.dirty, g.stopped, g.dynamics_deleted,
                   g.marketo_deleted, g.last_activity_at);
        {note} SELECT NULL, v.dynamics, v.marketo FROM fresh f JOIN gone g ON g.id = f.id
            CROSS JOIN LATERAL (VALUES (f.dynamics, f.marketo), (g.dynamics, g.marketo)) v(dynamics, marketo)
            WHERE (f.dynamics, f.marketo) IS DISTINCT FROM (g.dynamics, g.marketo);
    END IF;
"""
RECORD = """
    IF TG_OP = 'INSERT' THEN
        {note} SELECT NULL, guid, NULL FROM fresh WHERE NOT filtered;
    ELSIF TG_OP = 'DELETE' THEN
        {note} SELECT NULL, guid, NULL FROM gone;
    ELSE
        {note} SELECT NULL, f.guid, NULL FROM fresh f JOIN gone g ON g.id = f.id
            WHERE (f."table", f.name, f.email, f.due, f.filtered, f.deleted_at)
                  IS DISTINCT FROM (g."table", g.name, g.email, g.due, g.filtered, g.deleted_at);
    END IF;
"""
PERSON = """
    IF TG_OP = 'INSERT' THEN
        {note} SELECT NULL, NULL, person FROM fresh;
    ELSIF TG_OP = 'DELETE' THEN
        {note} SELECT NULL, NULL, person FROM gone;
    ELSE
        {note} SELECT NULL, NULL, f.person FROM fresh f JOIN gone g ON g.id = f.id
            WHERE (f.name, f.email, f.due, f.deleted_at) IS DISTINCT FROM (g.name, g.email, g.due, g.deleted_at);
    END IF;
"""
# Only what is open shows in the list; ``open`` is a condition on one row.
MATTER = """
    IF TG_OP = 'INSERT' THEN
        {note} SELECT {whom} FROM fresh r WHERE {open of r};
    ELSIF TG_OP = 'DELETE' THEN
        {note} SELECT {whom} FROM gone r WHERE {open of r};
    ELSE
        {note} SELECT {whom} FROM fresh r JOIN gone g ON g.id = r.id WHERE {open of r} <> {open of g};
    END IF;
"""
SUBJECT = """r.link_id,
    CASE WHEN r.subject ~ '^(dynamics|lead|contact):[0-9a-f-]{36}$' THEN split_part(r.subject, ':', 2)::uuid END,
    CASE WHEN r.subject ~ '^marketo:[0-9]{1,18}$' THEN split_part(r.subject, ':', 2)::bigint END"""
ALONE = "r.link_id, NULL, NULL"


def matter(whom, is_open):
    text = MATTER.replace("{note}", NOTE).replace("{whom}", whom)
    return text.replace("{open of r}", is_open.format("r")).replace("{open of g}", is_open.format("g"))


BODIES = {
    "link": LINK.replace("{note}", NOTE),
    "dynamicsrecord": RECORD.replace("{note}", NOTE),
    "marketoperson": PERSON.replace("{note}", NOTE),
    "failure": matter(SUBJECT, "({}.closed_at IS NULL)"),
    "decision": matter(SUBJECT, "({}.answered_at IS NULL)"),
    "conflict": matter(ALONE, "({}.state = 'open')"),
    "pendingwrite": matter(ALONE, "({0}.op <> 'log' AND {0}.link_id IS NOT NULL)"),
}
# A trigger sees the rows as they were and as they are, a whole statement at a time; each kind needs one of its own.
EVENTS = {"INSERT": "NEW TABLE AS fresh", "UPDATE": "OLD TABLE AS gone NEW TABLE AS fresh", "DELETE": "OLD TABLE AS gone"}


def triggers():
    for table, body in BODIES.items():
        yield (
            f"CREATE FUNCTION store_touch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
            f"DROP FUNCTION store_touch_{table}() CASCADE",
        )
        for event, seen in EVENTS.items():
            yield (
                f"CREATE TRIGGER touch_{table}_{event.lower()} AFTER {event} ON store_{table} REFERENCING {seen}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION store_touch_{table}()",
                migrations.RunSQL.noop,
            )


EVERYBODY = (
    f"{NOTE} SELECT id, NULL, NULL FROM store_link",
    f"{NOTE} SELECT NULL, guid, NULL FROM store_dynamicsrecord WHERE NOT filtered",
    f"{NOTE} SELECT NULL, NULL, person FROM store_marketoperson",
)
OLD = {"link": "store_link", "dynamics": "store_dynamicsrecord", "marketo": "store_marketoperson"}


def old_indexes():
    for short, table in OLD.items():
        yield f"{short}_by_name", f'{table} ((lower(name) COLLATE "C"), id)'
        yield f"{short}_by_word", f"{table} USING gin (to_tsvector('simple', name))"
        yield f"{short}_by_address", f'{table} (email COLLATE "C")'
    yield "link_stopped", 'store_link ((lower(name) COLLATE "C"), id) WHERE stopped'
    yield "link_gone", 'store_link ((lower(name) COLLATE "C"), id) WHERE dynamics_deleted OR marketo_deleted'


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0007_field_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ListedPerson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('link', models.BigIntegerField(null=True, unique=True)),
                ('dynamics', models.UUIDField(null=True)),
                ('marketo', models.BigIntegerField(null=True)),
                ('table', models.CharField(default='', max_length=8)),
                ('name', models.CharField(default='', max_length=500)),
                ('email', models.CharField(default='', max_length=320)),
                ('sorted', models.CharField(db_collation='C', default='', max_length=200)),
                ('last_activity_at', models.DateTimeField(default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))),
                ('present', models.BooleanField(default=True)),
                ('in_step', models.BooleanField(default=False)),
                ('waiting', models.BooleanField(default=False)),
                ('failed', models.BooleanField(default=False)),
                ('conflict', models.BooleanField(default=False)),
                ('decision', models.BooleanField(default=False)),
                ('stopped', models.BooleanField(default=False)),
                ('deleted', models.BooleanField(default=False)),
                ('only_dynamics', models.BooleanField(default=False)),
                ('only_marketo', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='ListedWord',
            fields=[
                ('pk', models.CompositePrimaryKey('person', 'word', blank=True, editable=False, primary_key=True, serialize=False)),
                ('person', models.BigIntegerField()),
                ('word', models.CharField(db_collation='C', max_length=320)),
                ('sorted', models.CharField(db_collation='C', max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Touched',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('link', models.BigIntegerField(null=True)),
                ('dynamics', models.UUIDField(null=True)),
                ('marketo', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.RemoveIndex(
            model_name='link',
            name='link_recent',
        ),
        migrations.RemoveIndex(
            model_name='link',
            name='link_email',
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('present', True)), fields=['sorted', 'id'], name='listed_present_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('present', True)), fields=['last_activity_at', 'id'], name='listed_present_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('in_step', True)), fields=['sorted', 'id'], name='listed_in_step_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('in_step', True)), fields=['last_activity_at', 'id'], name='listed_in_step_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('waiting', True)), fields=['sorted', 'id'], name='listed_waiting_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('waiting', True)), fields=['last_activity_at', 'id'], name='listed_waiting_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('failed', True)), fields=['sorted', 'id'], name='listed_failed_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('failed', True)), fields=['last_activity_at', 'id'], name='listed_failed_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('conflict', True)), fields=['sorted', 'id'], name='listed_conflict_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('conflict', True)), fields=['last_activity_at', 'id'], name='listed_conflict_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('decision', True)), fields=['sorted', 'id'], name='listed_decision_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('decision', True)), fields=['last_activity_at', 'id'], name='listed_decision_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('stopped', True)), fields=['sorted', 'id'], name='listed_stopped_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('stopped', True)), fields=['last_activity_at', 'id'], name='listed_stopped_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('deleted', True)), fields=['sorted', 'id'], name='listed_deleted_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('deleted', True)), fields=['last_activity_at', 'id'], name='listed_deleted_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('only_dynamics', True)), fields=['sorted', 'id'], name='listed_only_dynamics_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('only_dynamics', True)), fields=['last_activity_at', 'id'], name='listed_only_dynamics_time'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('only_marketo', True)), fields=['sorted', 'id'], name='listed_only_marketo_name'),
        ),
        migrations.AddIndex(
            model_name='listedperson',
            index=models.Index(condition=models.Q(('only_marketo', True)), fields=['last_activity_at', 'id'], name='listed_only_marketo_time'),
        ),
        migrations.AddConstraint(
            model_name='listedperson',
            constraint=models.UniqueConstraint(condition=models.Q(('link__isnull', True)), fields=('dynamics',), name='listed_record_once'),
        ),
        migrations.AddConstraint(
            model_name='listedperson',
            constraint=models.UniqueConstraint(condition=models.Q(('link__isnull', True)), fields=('marketo',), name='listed_person_once'),
        ),
        migrations.AddIndex(
            model_name='listedword',
            index=models.Index(fields=['word', 'sorted', 'person'], name='listed_word'),
        ),
        *(migrations.RunSQL(f"DROP INDEX {name}", f"CREATE INDEX {name} ON {what}") for name, what in old_indexes()),
        migrations.RunSQL(
            "CREATE INDEX decision_subject ON store_decision (subject) WHERE answered_at IS NULL",
            "DROP INDEX decision_subject",
        ),
        *(migrations.RunSQL(forwards, backwards) for forwards, backwards in triggers()),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in EVERYBODY),
    ]
