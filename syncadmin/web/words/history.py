"""A full sentence for every kind of line in a person's history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.store.kinds import Kind
from syncadmin.store.queries.columns import by_label
from syncadmin.store.queries.history import Change, HistoryLine
from syncadmin.web.words import causes, decisions, whys
from syncadmin.web.words.terms import RULES, SIDES, TABLES, Text, named

Labels = Mapping[str, str]
# For the pairs of choices: how each value is shown.
Options = Mapping[str, Mapping[str, str]]

# What a line of each kind is called, for choosing among them.
KINDS: dict[Kind, Text] = {
    Kind.UPDATED: gettext_lazy("Written"),
    Kind.CREATED: gettext_lazy("Created"),
    Kind.LINKED: gettext_lazy("Linked"),
    Kind.SEEN: gettext_lazy("First seen"),
    Kind.CONFLICT: gettext_lazy("Conflict"),
    Kind.OVERTAKEN: gettext_lazy("Overtaken"),
    Kind.SUPERSEDED: gettext_lazy("Changed again"),
    Kind.AGREED: gettext_lazy("Agreed by itself"),
    Kind.HELD: gettext_lazy("Held"),
    Kind.FAILED: gettext_lazy("Failed"),
    Kind.MENDED: gettext_lazy("Mended"),
    Kind.DROPPED: gettext_lazy("Dropped"),
    Kind.DECISION: gettext_lazy("Needed a decision"),
    Kind.DECIDED: gettext_lazy("Decided"),
    Kind.FILTER_STARTED: gettext_lazy("Sync started"),
    Kind.FILTER_STOPPED: gettext_lazy("Sync stopped"),
    Kind.DELETED: gettext_lazy("Deleted"),
    Kind.RESTORED: gettext_lazy("Restored"),
    Kind.MERGED: gettext_lazy("Merged"),
    Kind.QUALIFIED: gettext_lazy("Qualified"),
    Kind.REQUESTED: gettext_lazy("Sync Person"),
    Kind.ERASED: gettext_lazy("Erased"),
}


def sentence(line: HistoryLine, labels: Labels) -> str:
    """What happened, in words. ``labels`` names field pairs by key."""
    if line.kind not in set(Kind):
        return line.kind.replace("_", " ")
    kind = Kind(line.kind)
    if kind in _PLAIN:
        return str(_PLAIN[kind](line))
    return _TOLD[kind](line, labels)


def _side(line: HistoryLine) -> str:
    return named(SIDES, line.side)


def _changed_again(line: HistoryLine) -> str:
    if any(change.rule == "held" for change in line.changes):
        return _("Changed again in %(side)s while it was held.")
    return _("Changed again in %(side)s before it was sent.")


_PLAIN: dict[Kind, Callable[[HistoryLine], str]] = {
    Kind.UPDATED: lambda line: _("Written to %(side)s.") % {"side": _side(line)},
    Kind.SEEN: lambda line: _("First seen in %(side)s, without a partner on the other side.") % {"side": _side(line)},
    Kind.OVERTAKEN: lambda line: _("Our write replaced a value that somebody had set in the same moment."),
    Kind.SUPERSEDED: lambda line: _changed_again(line) % {"side": _side(line)},
    Kind.AGREED: lambda line: _("Both sides came to the same value by themselves."),
    Kind.FILTER_STARTED: lambda line: _("The filter column allows it: syncing starts."),
    Kind.FILTER_STOPPED: lambda line: _("The filter column says No: syncing stops; the person stays."),
    Kind.DELETED: lambda line: _("Deleted in %(side)s; the other side stays.") % {"side": _side(line)},
    Kind.RESTORED: lambda line: _("Restored in %(side)s; the link lives again.") % {"side": _side(line)},
    Kind.ERASED: lambda line: _("Erased on request."),
}


def _linked(line: HistoryLine, labels: Labels) -> str:
    how = str(line.details.get("how") or "")
    text = named(LINKED_HOW, how) if how else ""
    return _("Linked: %(how)s.") % {"how": text} if text else _("Both records were linked.")


def _created(line: HistoryLine, labels: Labels) -> str:
    table = named(TABLES, str(line.details.get("table") or ""))
    facts = {"table": table, "side": _side(line), "id": line.details.get("id") or ""}
    return _("%(table)s created in %(side)s (%(id)s).") % facts


def _held(line: HistoryLine, labels: Labels) -> str:
    reason = whys.text(str(line.details.get("reason") or ""), str(line.details.get("detail") or ""))
    return _("%(field)s: %(reason)s") % {"field": _field(line, labels), "reason": reason}


def _conflict(line: HistoryLine, labels: Labels) -> str:
    winner = str(line.details.get("winner") or "")
    facts = {"field": _field(line, labels), "rule": named(RULES, str(line.details.get("rule") or ""))}
    if not winner:
        return _("Both sides changed %(field)s; somebody has to decide.") % facts
    return _("Both sides changed %(field)s; %(winner)s won (%(rule)s).") % {**facts, "winner": named(SIDES, winner)}


def _failed(line: HistoryLine, labels: Labels) -> str:
    facts = {**line.details, "field": _field(line, labels)}
    text = causes.sentence(str(line.details.get("cause") or ""), facts)
    return _("Failed in %(side)s: %(cause)s") % {"side": _side(line), "cause": text} if line.side else text


def _mended(line: HistoryLine, labels: Labels) -> str:
    facts = {"field": _field(line, labels), "cause": causes.title(str(line.details.get("cause") or ""))}
    return _("Mended: %(cause)s (%(field)s).") % facts


def _dropped(line: HistoryLine, labels: Labels) -> str:
    return _("Marketo did not keep what we wrote to %(field)s.") % {"field": _field(line, labels)}


def _merged(line: HistoryLine, labels: Labels) -> str:
    facts = {"side": _side(line), "into": line.details.get("winner") or line.details.get("master") or "?"}
    return _("Merged in %(side)s into %(into)s.") % facts


def _qualified(line: HistoryLine, labels: Labels) -> str:
    facts = {"lead": line.details.get("lead") or "?", "contact": line.details.get("contact") or "?"}
    return _("The lead %(lead)s was qualified; the contact %(contact)s takes over.") % facts


def _decision(line: HistoryLine, labels: Labels) -> str:
    return _("Needs a decision: %(question)s") % {"question": decisions.title(str(line.details.get("kind") or ""))}


def _decided(line: HistoryLine, labels: Labels) -> str:
    answer = line.details.get("answer")
    code = str(answer.get("choice") if isinstance(answer, dict) else answer or "")
    kind = str(line.details.get("kind") or "")
    return _("Decided: %(question)s %(answer)s") % {
        "question": decisions.title(kind),
        "answer": decisions.choice(kind, code, {}).label,
    }


def _requested(line: HistoryLine, labels: Labels) -> str:
    status = named(REQUEST_STATUS, str(line.details.get("status") or "received"))
    text = _("Marketo asked for this person in Dynamics: %(status)s.") % {"status": status}
    message = str(line.details.get("message") or "")
    return f"{text} {message}".strip()


def _field(line: HistoryLine, labels: Labels) -> str:
    key = str(line.details.get("key") or (line.changes[0].key if line.changes else ""))
    return labels.get(key) or short(key) or _("the record")


def short(key: str) -> str:
    """A pair's key without its table: the Dynamics column."""
    return key.partition(".")[2].partition(":")[0] or key


_TOLD: dict[Kind, Callable[[HistoryLine, Labels], str]] = {
    Kind.LINKED: _linked,
    Kind.CREATED: _created,
    Kind.HELD: _held,
    Kind.CONFLICT: _conflict,
    Kind.FAILED: _failed,
    Kind.MENDED: _mended,
    Kind.DROPPED: _dropped,
    Kind.MERGED: _merged,
    Kind.QUALIFIED: _qualified,
    Kind.DECISION: _decision,
    Kind.DECIDED: _decided,
    Kind.REQUESTED: _requested,
}

LINKED_HOW = whys.LINKED_HOW
REQUEST_STATUS = whys.REQUEST_STATUS


def headings() -> tuple[str, ...]:
    """The columns of a history as a table; ``cells`` has one row for each changed field, or one for the line."""
    return (
        _("When"), _("Kind"), _("What happened"), _("Side"), _("Field"), _("Before"), _("After"), _("Rule"), _("Who"),
        _("Run"),
    )  # fmt: skip


def cells(line: HistoryLine, labels: Labels, options: Options) -> Iterator[tuple[Any, ...]]:
    head = (line.at, _kind(line.kind), sentence(line, labels), _side(line) if line.side else "")
    for change in line.changes or (Change("", None, None, ""),):
        old, new = _shown(change, options)
        field = labels.get(change.key) or short(change.key)
        yield (*head, field, old, new, named(RULES, change.rule) if change.rule else "", line.who, line.run)


def as_json(line: HistoryLine, labels: Labels, options: Options) -> dict[str, Any]:
    """Codes as they are stored, so that a program can read them; the sentence beside them for people."""
    changes = []
    for change in line.changes:
        old, new = _shown(change, options)
        changes.append({"field": change.key, "before": old, "after": new, "rule": change.rule})
    return {
        "at": line.at.isoformat(),
        "kind": line.kind,
        "text": sentence(line, labels),
        "side": line.side,
        "changes": changes,
        "details": dict(line.details),
        "who": line.who,
        "run": line.run,
    }


def _shown(change: Change, options: Options) -> tuple[Any, Any]:
    names = options.get(change.key, {})
    return by_label(change.old, names), by_label(change.new, names)


def _kind(code: str) -> str:
    return str(KINDS[Kind(code)]) if code in set(Kind) else code
