"""States as readers see them: each with a sign and a word, so that nothing depends on color."""

from __future__ import annotations

from dataclasses import dataclass

from tracking.models import WorkflowAttempt, WorkflowRun


@dataclass(frozen=True, slots=True)
class State:
    """`kind` is the CSS class and the color; `sign` and `word` say the same without it."""

    kind: str
    sign: str
    word: str

    @property
    def is_bad(self) -> bool:
        return self.kind in ("failed", "error")


_SIGNS = {
    "passed": "✓",
    "failed": "✕",
    "error": "‼",
    "running": "◌",
    "queued": "◌",
    "planned": "◌",
    "cancelled": "⊘",
    "skipped": "–",
}
# GitHub's words for how a workflow ended.  The list grows, so an unknown word is an error, loudly.
_CONCLUSIONS = {
    "success": "passed",
    "failure": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "neutral": "skipped",
}


def state(kind: str, word: str = "") -> State:
    """Return the state called `kind`, shown as `word`."""
    return State(kind if kind in _SIGNS else "error", _SIGNS.get(kind, "‼"), word or kind)


def conclusion_state(conclusion: str) -> State:
    """Return the state of something that ended with the service's word `conclusion`."""
    kind = _CONCLUSIONS.get(conclusion)
    if kind is None:
        return state("error", conclusion.replace("_", " "))
    return state(kind, "neutral" if conclusion == "neutral" else kind)


def workflow_state(workflow: WorkflowRun, attempt: WorkflowAttempt | None) -> State:
    """Return the state of a workflow whose latest attempt is `attempt`."""
    if workflow.conclusion:
        return conclusion_state(workflow.conclusion)
    if attempt and attempt.status == "in_progress":
        return state("running")
    words = {"intended": "not sent yet", "sending": "being sent", "unknown": "being looked for"}
    word = words.get(workflow.dispatch_state)
    return state("planned", word) if word else state("queued")


def job_state(status: str, conclusion: str) -> State:
    """Return the state of a job or an attempt from the service's two words."""
    if conclusion:
        return conclusion_state(conclusion)
    return (
        state("running") if status == "in_progress" else state("queued", status.replace("_", " ") or "queued")
    )
