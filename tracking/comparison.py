"""Two runs side by side: was it slower, and was it the queue or the work?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from analysis.comparison import Comparison, benjamini_hochberg, compare
from tracking.models import TestRun, WorkflowAttempt, WorkflowJob

PARTS = ("queue", "execution", "total")
SAME_WITHIN = 0.05
FLOOR = 0.5  # seconds that make no difference to anybody
NO_SETUP = "the service tells no times of a job's set-up"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of two runs' time, in seconds per workflow (or of the run, for a `single` number)."""

    name: str
    found: Comparison | None = None
    base: float | None = None
    head: float | None = None
    reason: str = ""
    single: bool = False

    @property
    def difference(self) -> float | None:
        if self.found is not None:
            return self.found.difference
        return None if self.base is None or self.head is None else self.head - self.base

    @property
    def ratio(self) -> float | None:
        if self.found is not None:
            return self.found.ratio
        return self.head / self.base if self.base and self.head is not None else None

    @property
    def low(self) -> float | None:
        return self.found.low if self.found else None

    @property
    def high(self) -> float | None:
        return self.found.high if self.found else None

    @property
    def verdict(self) -> str:
        return self.found.verdict if self.found else "not enough data"


@dataclass(frozen=True, slots=True)
class RunComparison:
    """`share_of_queueing` is the part of a slowdown of `total` that is queueing, 0 to 1; else None."""

    base: TestRun
    head: TestRun
    parts: dict[str, Part]
    share_of_queueing: float | None
    differences: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        total, queue, execution = (self.parts[name] for name in ("total", "queue", "execution"))
        if total.difference is None:
            return "There is nothing to compare: one of the two has no measured workflows."
        if total.verdict == "same":
            return "The two took the same time."
        if total.verdict == "not enough data":
            return "The difference is not larger than the noise; nothing is proved."
        blame = [
            name
            for name, part in (("queueing", queue), ("execution", execution))
            if part.verdict == total.verdict
        ]
        why = f": it is {' and '.join(blame)}" if blame else ""
        return f"The second is {total.verdict} by {abs(total.difference):.1f} s per workflow{why}."


def compare_runs(base: TestRun, head: TestRun) -> RunComparison:
    """Compare the latest attempts of two runs' workflows, part by part; the same answer every time."""
    before, after = _attempts(base), _attempts(head)
    parts = {
        name: Part(name, compare(_of(before, name), _of(after, name), same_within=SAME_WITHIN, floor=FLOOR))
        for name in PARTS
    }
    parts = _adjusted(parts)
    for name, part in list(parts.items()):
        found = part.found
        if found is not None:
            missing = "too few workflows were measured" if found.low is None else ""
            parts[name] = replace(part, base=found.base, head=found.head, reason=missing)
    parts["setup"] = Part("setup", reason=NO_SETUP)
    parts["retries"] = Part("retries", base=_retried(base), head=_retried(head), single=True)
    parts["lost_parallelism"] = Part(
        "lost_parallelism", base=_lost(base, before), head=_lost(head, after), single=True
    )
    return RunComparison(base, head, parts, _share(parts), list(_environment(base, head)))


def _attempts(run: TestRun) -> list[WorkflowAttempt]:
    return list(WorkflowAttempt.objects.filter(workflow__run=run).newest().timed())


def _of(attempts: Sequence[WorkflowAttempt], part: str) -> list[float]:
    return [value for attempt in attempts if (value := getattr(attempt, part)) is not None]


def _adjusted(parts: dict[str, Part]) -> dict[str, Part]:
    """Three parts are looked at together, so each has to be surer than one alone."""
    tested = [name for name, part in parts.items() if part.found and part.found.p is not None]
    adjusted = benjamini_hochberg([parts[name].found.p for name in tested])  # type: ignore[union-attr,misc]
    for name, p in zip(tested, adjusted, strict=True):
        found = parts[name].found
        if found is not None and found.verdict in ("slower", "faster") and p > 0.05:
            found = replace(found, verdict="not enough data")
        parts[name] = Part(name, found)
    return parts


def _share(parts: dict[str, Part]) -> float | None:
    queue, execution = parts["queue"].difference, parts["execution"].difference
    if queue is None or execution is None or parts["total"].verdict != "slower":
        return None
    slower = max(queue, 0.0) + max(execution, 0.0)
    return max(queue, 0.0) / slower if slower > 0 else None


def _retried(run: TestRun) -> float:
    """Seconds of execution in attempts that a later one replaced."""
    attempts = WorkflowAttempt.objects.filter(workflow__run=run).select_related("workflow")
    return sum(one.execution or 0.0 for one in attempts if one.number < one.workflow.attempt)


def _lost(run: TestRun, attempts: Sequence[WorkflowAttempt]) -> float | None:
    """Seconds by which the run took longer than its longest workflow: what did not go on side by side."""
    longest = max(_of(attempts, "total"), default=None)
    if longest is None or run.duration is None:
        return None
    return max(run.duration.total_seconds() - longest, 0.0)


def _environment(base: TestRun, head: TestRun) -> list[tuple[str, str, str]]:
    """What else was different, in words: name, base, head."""
    facts = {
        "environment": (base.environment.name, head.environment.name),
        "definition": (_definition(base), _definition(head)),
        "ref": (str(base.plan.get("ref", "")), str(head.plan.get("ref", ""))),
        "commit": (base.commit_sha[:12], head.commit_sha[:12]),
        "runners": (_runners(base), _runners(head)),
        "workflows": (str(base.workflow_runs.count()), str(head.workflow_runs.count())),
    }
    return [(name, first, second) for name, (first, second) in facts.items() if first != second]


def _definition(run: TestRun) -> str:
    version = run.plan.get("version")
    return f"{run.definition.name}, version {version}" if version else run.definition.name


def _runners(run: TestRun) -> str:
    jobs = WorkflowJob.objects.filter(attempt__workflow__run=run).order_by()
    kinds = jobs.values_list("labels", "runner_group")
    names = {", ".join(sorted(labels)) or group for labels, group in kinds}
    return "; ".join(sorted(names - {""}))
