"""`bench seed`: people and their history for measuring the screens, by set-based SQL, kept between runs."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.models import NOT_PROVIDED

from syncadmin.engine.mapping import Direction
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Schema
from syncadmin.proof.bench import kept, population, seed_names, seed_sql
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.store import fieldsets, listing, options, schemas
from syncadmin.store.models import Connection, Link, ListedPerson, Setting

LINES_EACH = 10
# Fewer leave a cause, a cell or a deep page without anybody.
LEAST = 500
_LAST_NAMES, _CHINESE = 6_000, 4_000
_BATCH = 1_000_000
_BITE = 5_000
_MARK = "seeded"
# Ours alone are measured; a tenth of the people has no partner.
_ALONE = 10
_GROWN = ("dynamicsrecord", "marketoperson", "link", "activity", "conflict", "failure")


def seed(wanted: Options) -> Result:
    """Fills the kept database, unless it holds so many people already. Raises ``NotMeasured`` for too few."""
    if wanted.people < LEAST:
        raise NotMeasured(f"{wanted.people} people do not fill every page: give --people {LEAST} or more")
    with kept.serving(wanted.folder):
        begun = time.perf_counter()
        if _holds(wanted.people):
            wanted.tell("The data is there already.")
            return {"people": wanted.people, "seconds": 0.0, "kept": True}
        parts = fill(wanted.people, wanted.seed, wanted.tell)
        return {"people": wanted.people, "lines": wanted.people * LINES_EACH, **parts, **sizes(),
                "seconds": round(time.perf_counter() - begun, 1)}  # fmt: skip


def _holds(people: int) -> bool:
    return held() == people


def held() -> int:
    """How many people the kept database was filled with; 0 if that was cut short."""
    return Setting.objects.filter(name=_MARK).values_list("value", flat=True).first() or 0


def sizes() -> dict[str, Any]:
    """Megabytes of the database and of what the list of people takes of it."""
    told = _ask(
        """SELECT pg_database_size(current_database()), pg_total_relation_size('store_listedperson'),
                  pg_total_relation_size('store_listedword'), pg_total_relation_size('store_activity')"""
    )
    names = ("database", "list", "words", "history")
    return {"megabytes": {name: size // 2**20 for name, size in zip(names, told[0], strict=True)}}


def fill(people: int, seed_number: int, tell: Callable[[str], Any]) -> dict[str, Any]:
    """Empties the tables and fills them. Seconds by part."""
    told: dict[str, float] = {}

    def timed(name: str, do: Callable[[], Any]) -> None:
        begun = time.perf_counter()
        do()
        told[name] = round(time.perf_counter() - begun, 1)
        tell(f"{name}: {told[name]} s")

    now = datetime.now(UTC).replace(microsecond=0)
    facts = _facts(people, now)
    timed("empty", _empty)
    timed("names", lambda: _names(seed_number, facts))
    with _bare():
        for name, (columns, source) in seed_sql.ROWS.items():
            timed(name, lambda name=name, columns=columns, source=source: _insert(name, columns, source, facts))  # type: ignore[misc]
        timed("history", lambda: _history(facts))
        timed("indexes", _reindex)
    timed("set up", lambda: _set_up(now))
    timed("statistics", lambda: _run("VACUUM (ANALYZE)"))
    timed("list", _list_everybody)
    timed("list statistics", lambda: _run("VACUUM (ANALYZE) store_listedperson, store_listedword, store_touched"))
    Setting.objects.update_or_create(name=_MARK, defaults={"value": people})
    return {"parts": told}


def _facts(people: int, now: datetime) -> dict[str, Any]:
    return {
        "people": people,
        "links": people - people // _ALONE,
        "lines": people * LINES_EACH,
        "runs": max(20, people // 50),
        "now": f"'{now.isoformat()}'::timestamptz",
        "chinese": _CHINESE,
        "first": len(seed_names.first_names()),
        "rare": "ARRAY[" + ", ".join(f"'{name}'" for name in seed_names.RARE) + "]",
        "rare_at": f"ARRAY[{', '.join(str(people // 2 + place) for place in range(len(seed_names.RARE)))}]::bigint[]",
    }


def _empty() -> None:
    """From nothing, since a seed that was cut short leaves tables without their indexes."""
    _run("DROP SCHEMA public CASCADE")
    _run("CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


def _names(seed_number: int, facts: dict[str, Any]) -> None:
    rnd = random.Random(seed_number)
    last = seed_names.last_names(rnd, _LAST_NAMES)
    facts["last"] = len(last)
    lists = {"first": seed_names.first_names(), "last": last, "chinese": seed_names.chinese_names(rnd, _CHINESE)}
    with connection.cursor() as cursor:
        for name, names in lists.items():
            cursor.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS seed_{name} (place bigint PRIMARY KEY, name text, ascii text)"
            )
            cursor.execute(f"TRUNCATE seed_{name}")
            rows = [(place, text, "".join(filter(str.isascii, text.casefold()))) for place, text in enumerate(names)]
            cursor.executemany(f"INSERT INTO seed_{name} VALUES (%s, %s, %s)", rows)
        cursor.execute(f"ANALYZE seed_first, seed_last, seed_chinese; {seed_sql.FUNCTIONS}")
        cursor.execute(f"DROP TABLE IF EXISTS who; {seed_sql.WHO.format(**facts)}")


@contextmanager
def _bare() -> Iterator[None]:
    """Without triggers and foreign keys: what they would do is done for everybody at the end."""
    _run("SET session_replication_role = replica")
    _run("SET synchronous_commit = off")
    try:
        yield
    finally:
        _run("SET session_replication_role = DEFAULT")


def _insert(name: str, columns: dict[str, str], source: str, facts: dict[str, Any]) -> None:
    model = apps.get_model("store", name)
    _drop_indexes(model)
    filled = {**_defaults(model), **columns}
    names = ", ".join(f'"{column}"' for column in filled)
    values = ", ".join(filled.values())
    _run(f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM {source}".format(**facts))
    _run(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), max(id)) FROM {model._meta.db_table}")


def _defaults(model: type[models.Model]) -> dict[str, str]:
    """SQL for every column whose default is the model's business and not the database's."""
    found = {}
    for field in model._meta.concrete_fields:
        if field.primary_key or field.null or field.db_default is not NOT_PROVIDED or not field.has_default():
            continue
        found[str(field.column)] = _literal(field.get_default())
    return found


def _literal(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return "'" + text.replace("{", "{{").replace("}", "}}") + "'"


_DROPPED: list[str] = []


def _drop_indexes(model: type[models.Model]) -> None:
    """A big table is filled faster without its indexes; those of constraints stay."""
    table = model._meta.db_table
    if model._meta.model_name not in _GROWN:
        return
    found = _ask(
        f"""SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = '{table}' AND NOT EXISTS
            (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"""
    )
    for index, definition in found:
        _DROPPED.append(definition)
        _run(f"DROP INDEX {index}")


def _reindex() -> None:
    while _DROPPED:
        _run(_DROPPED.pop())


def _history(facts: dict[str, Any]) -> None:
    """In pieces, so that no transaction holds everything."""
    columns, source = seed_sql.HISTORY
    for start in range(1, facts["lines"] + 1, _BATCH):
        piece = {"from_line": start, "to_line": min(start + _BATCH - 1, facts["lines"])}
        _insert("activity", columns, source, {**facts, **piece})


def _set_up(now: datetime) -> None:
    """What a finished setup leaves: both connections, schemas, and the field pairs of both tables."""
    pairs = population.pairs()
    for table in (Table.LEAD, Table.CONTACT):
        names = [pair.dynamics for pair in pairs if pair.table is table]
        columns = {name: Column(Side.DYNAMICS, table, name, name.title(), Kind.TEXT) for name in names}
        schemas.save(Schema(table, columns), now)
    theirs = {pair.marketo: Column(Side.MARKETO, Table.PERSON, pair.marketo, pair.marketo, Kind.TEXT) for pair in pairs}
    schemas.save(Schema(Table.PERSON, theirs), now)
    options.write("field_version", fieldsets.save(pairs, who=_MARK, now=now))
    options.write("started", True)
    for side in Side:
        Connection.objects.create(side=side, base_url="https://example.org", sealed="", connected_at=now)
    assert pairs[0].direction is Direction.BOTH


def _list_everybody() -> None:
    _run("INSERT INTO store_touched (links) SELECT ARRAY[id] FROM store_link")
    _run(
        """INSERT INTO store_touched (records) SELECT ARRAY[guid] FROM store_dynamicsrecord d
           WHERE NOT EXISTS (SELECT 1 FROM store_link l WHERE l.dynamics = d.guid)"""
    )
    _run(
        """INSERT INTO store_touched (people) SELECT ARRAY[person] FROM store_marketoperson p
           WHERE NOT EXISTS (SELECT 1 FROM store_link l WHERE l.marketo = p.person)"""
    )
    _run("ANALYZE store_touched")
    while listing.catch_up(_BITE):
        pass
    assert ListedPerson.objects.filter(link__isnull=False).count() == Link.objects.count()


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _ask(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
