"""`python -m tests.house.failures_page` writes docs/failures.md from the engine's catalogue of causes."""

from __future__ import annotations

from pathlib import Path

from syncadmin.engine.failures import Cause, HealsBy, describe

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failures.md"

_SECTIONS = (
    (HealsBy.VALUE, "A value is at fault", "Tried again when the value, or another value of the record, changes."),
    (HealsBy.METADATA, "A column or option is at fault", "Tried again when the metadata changes; it is read hourly."),
    (
        HealsBy.ADMINISTRATOR,
        "An administrator is needed",
        "Tried again when you release it; a failed call or sign-in also with the next run.",
    ),
    (HealsBy.TIME, "It passes", "Tried again by itself after 1, 5, 15, 60, then every 240 minutes."),
)
_HEAD = """\
# Failures

Every cause, as *Failures* shows it; the product has this list as a page, *All causes and remedies*. `{field}`, `{value}`, `{limit}` and `{message}` stand for what the failure names; the
message is the other system's own. [How it behaves](behaviour.md#failures) says what a failure holds back. At a terminal,
*Settings, Fields* is `manage.py fields`, *Settings, Connections* is `manage.py connect`, and the rest `manage.py setting`
([settings](settings.md)).

This page is made from `syncadmin/engine/remedies.py`: `.venv/bin/python -m tests.house.failures_page`.
"""


def page() -> str:
    parts = [_HEAD]
    for heals_by, title, when in _SECTIONS:
        rows = [_row(cause) for cause in Cause if describe(cause).heals_by is heals_by]
        parts.append("\n".join((f"## {title}", "", when, "", "| code | cause | remedy |", "|---|---|---|", *rows, "")))
    return "\n".join(parts)


def _row(cause: Cause) -> str:
    told = describe(cause)
    return f"| `{cause}` | {told.cause_text} | {told.remedy} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
