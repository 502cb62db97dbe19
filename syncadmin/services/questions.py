"""Questions of pairing: one for each address that several records share, put once, and what was said about it kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.engine import standing
from syncadmin.engine.candidates import Candidate, Match, MatchKind, Reason, fold_email
from syncadmin.engine.records import Ref
from syncadmin.store import ledger, pairing
from syncadmin.store.models import Decision, Run

KIND = "match"
# Asked about together: who of them is to have the one person there is.
_TOGETHER = frozenset({Reason.SEVERAL_RECORDS, Reason.PERSON_TAKEN})


@dataclass(frozen=True, slots=True)
class Question:
    """Unlinked records that wait for one answer, with everybody else it is about."""

    subject: str
    reason: Reason
    due: tuple[Candidate, ...]
    others: tuple[Candidate, ...]

    @property
    def group(self) -> tuple[Candidate, ...]:
        return (*self.due, *self.others)

    @property
    def refs(self) -> set[tuple[str, str]]:
        """Who an answer has to have been given about. A linked person is no news: the record it belongs to is."""
        return {(str(one.ref.table), one.ref.id) for one in self.group if not (one.is_person and one.linked_to)}

    @property
    def subjects(self) -> set[str]:
        """What the question may have been known by when more, or fewer, of them waited."""
        return {self.subject, *(subject_of(one.ref) for one in self.due), *(_subject(one.email) for one in self.due)}


def answered(matches: Sequence[Match], group: Iterable[Candidate]) -> list[Match]:
    """The decisions with those questions taken out that somebody has answered already, for the same records."""
    questions = gather(matches, group)
    said = _said({subject for question in questions for subject in question.subjects})
    settled: dict[Ref, Match] = {}
    for question in questions:
        for facts, choice in (said[subject] for subject in sorted(question.subjects) if subject in said):
            found = standing.settle(choice, question.due, question.group) if question.refs <= _refs(facts) else None
            settled.update({match.ref: match for match in found or ()})
    return [settled.get(match.ref, match) for match in matches]


def ask(
    matches: Sequence[Match], group: Iterable[Candidate], earlier: Iterable[str], run: Run | None, now: datetime
) -> dict[str, str]:
    """Puts the questions that are left; withdraws those about the same records and addresses that are over.

    ``earlier`` are subjects of questions the records waited for before. Answers the subject asked, by record id.
    """
    known = {one.ref: one for one in group}
    questions = gather(matches, known.values())
    subjects = {question.subject for question in questions}
    emails = {known[match.ref].email for match in matches} - {""}
    over = {subject_of(match.ref) for match in matches} | {_subject(email) for email in emails} | set(earlier)
    ledger.withdraw_decisions(KIND, sorted(over - subjects - {""}), now=now)
    for question in questions:
        ledger.decision(_decision(question, run, now))
    return {one.ref.id: question.subject for question in questions for one in question.due}


def forget(table: str, guid: str, email: str, now: datetime) -> None:
    """The record is gone: what was asked about it is over. Those it was asked about with are asked about anew."""
    ledger.withdraw_decisions(KIND, [f"{table}:{guid}", *([_subject(email)] if email else [])], now=now)


def gather(matches: Sequence[Match], group: Iterable[Candidate]) -> list[Question]:
    """The questions these decisions come to: one an address where several records wait, else one a record."""
    known = {one.ref: one for one in group}
    together: dict[tuple[str, Reason], list[Match]] = {}
    for match in matches:
        if match.kind is MatchKind.DECIDE:
            email = fold_email(known[match.ref].email)
            place = email if match.reason in _TOGETHER and email else subject_of(match.ref)
            together.setdefault((place, match.reason), []).append(match)
    return [_question(place, reason, found, known) for (place, reason), found in together.items()]


def _question(place: str, reason: Reason, found: Sequence[Match], known: Mapping[Ref, Candidate]) -> Question:
    due = tuple(known[match.ref] for match in found)
    asked = {one.ref for one in due}
    others = sorted({ref for match in found for ref in match.candidates} - asked)
    subject = subject_of(due[0].ref) if len(due) == 1 else _subject(place)
    return Question(subject, reason, due, tuple(known[ref] for ref in others))


def subject_of(ref: Ref) -> str:
    return f"{ref.table}:{ref.id}"


def _subject(email: str) -> str:
    return f"email:{fold_email(email)}"[:100]


def _said(subjects: Iterable[str]) -> dict[str, tuple[dict[str, Any], str]]:
    """The last thing somebody said about each, with the facts it was said about."""
    known = Decision.objects.filter(kind=KIND, subject__among=set(subjects), answered_at__isnull=False)
    found = known.exclude(answered_by="").order_by("answered_at", "id").values_list("subject", "facts", "answer")
    return {subject: (facts, str((answer or {}).get("choice", ""))) for subject, facts, answer in found}


def _refs(facts: Mapping[str, Any]) -> set[tuple[str, str]]:
    faces = [*facts.get("records", ()), *facts.get("candidates", ()), facts.get("record") or {}]
    return {(str(face.get("table")), str(face.get("id"))) for face in faces}


def _decision(question: Question, run: Run | None, now: datetime) -> Decision:
    shown = pairing.faces([one.ref for one in question.group])
    facts: dict[str, Any] = {
        "reason": question.reason,
        "candidates": [_face(one.ref, shown) for one in question.others],
    }
    if len(question.due) > 1:
        facts |= {"email": question.due[0].email, "records": [_face(one.ref, shown) for one in question.due]}
        choices = standing.choices(question.due, question.group)
    else:
        facts |= {"record": _face(question.due[0].ref, shown)}
        choices = _of_one(question)
    return Decision(kind=KIND, subject=question.subject, facts=facts, choices=choices, opened_at=now, run=run)


def _of_one(question: Question) -> list[str]:
    """A free person can be linked; where there is none, the record can wait behind the one that is linked."""
    people = [other for other in question.others if other.is_person]
    free = [other for other in people if not other.linked_to]
    linked = any(other.linked_to for other in question.others if not other.is_person)
    wait = [standing.WAIT] if linked and not free else []
    return [*(f"link:person:{other.ref.id}" for other in free), *wait, "separate"]


def _face(ref: Ref, shown: Mapping[Ref, pairing.Face]) -> dict[str, str]:
    face = shown.get(ref)
    return {
        "table": ref.table,
        "id": ref.id,
        "name": face.name if face else "",
        "email": face.email if face else "",
        "company": str((face.values.get("companyname") or face.values.get("company") or "") if face else ""),
        "title": str((face.values.get("jobtitle") or face.values.get("title") or "") if face else ""),
        "phone": str((face.values.get("telephone1") or face.values.get("phone") or "") if face else ""),
    }
