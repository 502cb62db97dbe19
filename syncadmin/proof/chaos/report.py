"""An attack's verdict in words."""

from __future__ import annotations

from collections.abc import Mapping

from syncadmin.proof.chaos.attack import Verdict


def as_text(verdict: Verdict) -> str:
    lines = [
        f"seed {verdict.seed}, {verdict.seconds:.0f} s, at rest {verdict.quiet_after:.0f} s after the last harm",
        f"done: {_counts(verdict.harms)}",
        f"not met in time: {_counts(verdict.missed)}",
        f"processes killed: {_counts(verdict.kills)}; work taken over: {verdict.takeovers}",
        f"work resumed after at most {verdict.longest_resume:.1f} s",
        "longest pause: " + ", ".join(f"{lane} {pause:.1f} s" for lane, pause in verdict.longest_pause.items()),
        f"people: {_counts(verdict.edits)}",
        f"our writes: {_counts(verdict.writes)}, repeated {verdict.repeated}",
        f"receipts settled: {_counts(verdict.receipts)}",
        f"conflicts: {_counts(verdict.conflicts)}",
    ]
    return "\n".join([*lines, *([f"BROKEN {what}" for what in verdict.broken] or ["everything held"])])


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items()) or "none"
