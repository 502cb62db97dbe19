"""The statements that fill the tables; every random-looking choice is a hash of a row's number, so a seed is a seed.

``{people}`` is the number of people, ``{links}`` of those with a partner; who comes behind is alone on one side.
"""

from __future__ import annotations

# Uniform in 0..n-1, and with the first ones drawn far more often.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.dice(n bigint, salt int, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(n, salt) & 9223372036854775807) % sides) $$;
CREATE OR REPLACE FUNCTION pg_temp.often(n bigint, salt int, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT floor(sides * power((hashint8extended(n, salt) & 1048575) / 1048576.0, 3))::bigint $$;
CREATE OR REPLACE FUNCTION pg_temp.guid(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT md5('person ' || n)::uuid $$;
"""

# One in twelve is Chinese; a few names have one bearer only.
WHO = """
CREATE TEMPORARY TABLE who AS
SELECT n, CASE WHEN n = ANY({rare_at}) THEN ({rare})[array_position({rare_at}, n)] || ' Onlyone'
               WHEN n % 12 = 5 THEN (SELECT name FROM seed_chinese WHERE place = pg_temp.often(n, 3, {chinese}))
               ELSE (SELECT name FROM seed_first WHERE place = pg_temp.often(n, 1, {first})) || ' ' ||
                    (SELECT name FROM seed_last WHERE place = pg_temp.often(n, 2, {last})) END AS name,
       CASE WHEN n % 40 = 7 THEN 'info' ELSE coalesce(
            (SELECT ascii FROM seed_first WHERE place = pg_temp.often(n, 1, {first})), 'x') || '.' || n END
       || '@company' || pg_temp.dice(n, 4, 20000) || '.example' AS email,
       pg_temp.guid(n) AS guid, 1000000 + n AS person,
       CASE WHEN n % 5 = 4 THEN 'contact' ELSE 'lead' END AS tbl,
       pg_temp.dice(n, 5, 1000) AS fate
FROM generate_series(1, {people}) n;
CREATE UNIQUE INDEX ON who (n);
ANALYZE who;
"""

_VALUES = {
    "jobtitle": "'Buyer ' || n % 50",
    "telephone1": "'+47 ' || (n % 90 + 10) || ' ' || (n % 899 + 100)",
    "address1_city": "(ARRAY['Bergen', 'Porto', 'Gent', 'Tartu'])[n % 4 + 1]",
    "address1_country": "(ARRAY['Norway', 'Portugal', 'Belgium', 'Estonia'])[n % 4 + 1]",
    "address1_postalcode": "(n % 9000 + 1000)::text",
    "description": "'Met at the fair, stand ' || n % 400 || '. Wants to hear of news twice a year.'",
}
_NAMES = {
    "jobtitle": "title",
    "telephone1": "phone",
    "address1_city": "city",
    "address1_country": "country",
    "address1_postalcode": "postalCode",
    "description": "mktoPersonNotes",
}
DYNAMICS_VALUES = ", ".join(f"'{column}', {value}" for column, value in _VALUES.items())
MARKETO_VALUES = ", ".join(f"'{_NAMES[column]}', {value}" for column, value in _VALUES.items())
AGREED = ", ".join(
    f"tbl || '.{column}:{_NAMES[column]}', jsonb_build_array({value}, {value}, 1)" for column, value in _VALUES.items()
)

# What each table is filled with, by column; what is not named takes the model's default.
ROWS: dict[str, tuple[dict[str, str], str]] = {
    "dynamicsrecord": (
        {
            "table": "tbl",
            "guid": "guid",
            "values": f"jsonb_build_object('emailaddress1', email, {DYNAMICS_VALUES})",
            "hash": "md5(n::text)",
            "email": "lower(email)",
            "name": "name",
            "due": "CASE WHEN n > {links} AND fate < 200 THEN 'waiting' ELSE '' END",
            "seen_at": "{now}",
            "modified_at": "{now} - n % 100000 * interval '1 minute'",
            "deleted_at": "CASE WHEN n > {links} AND fate > 950 THEN {now} END",
        },
        "who WHERE n <= {links} OR n % 2 = 0",
    ),
    "marketoperson": (
        {
            "person": "person",
            "values": f"jsonb_build_object('email', email, {MARKETO_VALUES})",
            "hash": "md5(n::text)",
            "email": "lower(email)",
            "name": "name",
            "seen_at": "{now}",
        },
        "who WHERE n <= {links} OR n % 2 = 1",
    ),
    "link": (
        {
            "id": "n",
            "table": "tbl",
            "dynamics": "guid",
            "marketo": "person",
            "name": "name",
            "email": "lower(email)",
            "agreed": f"jsonb_build_object({AGREED})",
            "dirty": "fate BETWEEN 0 AND 9",
            "stopped": "fate BETWEEN 10 AND 29",
            "dynamics_deleted": "fate BETWEEN 30 AND 34",
            "marketo_deleted": "fate BETWEEN 35 AND 39",
            "last_activity_at": "{now} - pg_temp.dice(n, 6, 5000000) * interval '1 second'",
            "linked_at": "{now} - interval '90 days'",
        },
        "who WHERE n <= {links}",
    ),
    "run": (
        {
            "id": "n",
            "started_at": "{now} - ({runs} + 1 - n) * interval '5 minutes'",
            "finished_at": "{now} - ({runs} + 1 - n) * interval '5 minutes' + interval '9 seconds'",
            "heartbeat_at": "{now} - ({runs} + 1 - n) * interval '5 minutes'",
            "counts": """CASE WHEN n % 3 = 0 THEN '{{"updated.marketo": 12, "updated.dynamics": 7}}' ELSE '{{}}' END::jsonb""",
            "calls": """'{{"dynamics": 4, "marketo": 6}}'::jsonb""",
        },
        "generate_series(1, {runs}) n",
    ),
    "failure": (
        {
            "subject": "'link:' || n",
            "link_id": "n",
            "table": "tbl",
            "side": "CASE WHEN n % 2 = 0 THEN 'dynamics' ELSE 'marketo' END",
            "operation": "'update'",
            "key": "tbl || '.jobtitle:title'",
            "column": "'jobtitle'",
            "cause": "(ARRAY['too_long', 'unknown_option', 'required', 'malformed_email'])[n % 4 + 1]",
            "message": "'The value is longer than the column takes.'",
            "value": """'{{"value": "Head of everything", "limit": 10}}'::jsonb""",
            "opened_at": "{now} - n % 100000 * interval '1 minute'",
            "last_at": "{now}",
            "closed_at": "CASE WHEN fate >= 60 THEN {now} - n % 1000 * interval '1 minute' END",
            "run_id": "n % {runs} + 1",
        },
        "who WHERE n <= {links} AND fate BETWEEN 50 AND 89",
    ),
    "conflict": (
        {
            "link_id": "n",
            "key": "tbl || '.address1_city:city'",
            "agreed_dynamics": "to_jsonb('Bergen'::text)",
            "agreed_marketo": "to_jsonb('Bergen'::text)",
            "dynamics_value": "to_jsonb('Porto'::text)",
            "marketo_value": "to_jsonb('Gent'::text)",
            "winner": "CASE WHEN fate < 103 THEN '' WHEN tbl = 'lead' THEN 'marketo' ELSE 'dynamics' END",
            "rule": "CASE WHEN fate < 103 THEN 'ask' ELSE 'collision_' || tbl END",
            "state": "CASE WHEN fate < 103 THEN 'open' ELSE 'decided' END",
            "at": "{now} - pg_temp.dice(n, 7, 8000000) * interval '1 second'",
            "run_id": "n % {runs} + 1",
            "fingerprint": "md5('conflict ' || n)",
        },
        "who WHERE n <= {links} AND fate BETWEEN 100 AND 299",
    ),
    "decision": (
        {
            "kind": "'match'",
            "subject": "tbl || ':' || guid",
            "link_id": "CASE WHEN n <= {links} THEN n END",
            "facts": """jsonb_build_object('candidates', jsonb_build_array(
                        jsonb_build_object('table', 'person', 'id', person::text, 'name', name, 'email', email)))""",
            "choices": """'["separate"]'::jsonb""",
            "opened_at": "{now} - n % 5000 * interval '1 minute'",
            "answer": """CASE WHEN fate >= 302 THEN '{{"choice": "separate"}}'::jsonb END""",
            "answered_at": "CASE WHEN fate >= 302 THEN {now} - n % 1000 * interval '1 minute' END",
            "answered_by": "CASE WHEN fate >= 302 THEN 'ada' ELSE '' END",
            "run_id": "n % {runs} + 1",
        },
        "who WHERE fate BETWEEN 300 AND 309",
    ),
    "pendingwrite": (
        {
            "link_id": "n",
            "side": "'marketo'",
            "op": "'update'",
            "table": "'person'",
            "target": "person::text",
            "fields": "jsonb_build_object(tbl || '.jobtitle:title', jsonb_build_object('sent', 'x'))",
            "decided_at": "{now} - n % 600 * interval '1 second'",
        },
        "who WHERE n <= {links} AND fate BETWEEN 310 AND 319",
    ),
    "auditentry": (
        {
            "at": "{now} - n * interval '1 minute'",
            "who": "'ada'",
            "action": "(ARRAY['setting', 'answer', 'pause', 'release'])[n % 4 + 1]",
            "subject": "'wait'",
            "before": "to_jsonb(n)",
            "after": "to_jsonb(n + 1)",
        },
        "generate_series(1, {people} / 100) n",
    ),
}

# In the order of time, spread over everybody; one in four hundred is the first person's, who has the longest history.
HISTORY: tuple[dict[str, str], str] = (
    {
        "link_id": "CASE WHEN n % 400 = 0 THEN 1 ELSE pg_temp.dice(n, 8, {links}) + 1 END",
        "at": "{now} - ({lines} + 1 - n) * interval '1 second'",
        "kind": "(ARRAY['updated','updated','updated','updated','updated','updated','held','agreed','conflict','failed'])[roll + 1]",
        "side": "CASE WHEN n % 2 = 0 THEN 'dynamics' ELSE 'marketo' END",
        "changes": """CASE WHEN roll < 6 THEN jsonb_build_array(jsonb_build_array(
                      'lead.jobtitle:title', 'Buyer ' || n % 50, 'Buyer ' || n % 49, 'one_sided')) ELSE '[]' END""",
        "details": """CASE roll WHEN 6 THEN '{{"key": "lead.jobtitle:title", "reason": "direction"}}'
                      WHEN 8 THEN '{{"key": "lead.address1_city:city", "winner": "marketo", "rule": "collision_lead"}}'
                      WHEN 9 THEN '{{"key": "lead.jobtitle:title", "cause": "too_long"}}' ELSE '{{}}' END::jsonb""",
        "run_id": "n::bigint * {runs} / {lines} + CASE WHEN n < {lines} THEN 1 ELSE 0 END",
    },
    "(SELECT n, pg_temp.dice(n, 9, 10) AS roll FROM generate_series({from_line}, {to_line}) n) s",
)
