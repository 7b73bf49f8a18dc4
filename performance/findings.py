"""What held a run back: rules over what was measured, each with its evidence, ranked.

Causes come before their symptoms: where a part of the target or a full resource explains why requests wait
or fail to be answered in time, the waiting counts half.  Nothing found is an answer.
docs/bottlenecks.md has each rule with its formula and source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from performance.measured import Measured
from performance.rules import components, errors, generator, knee, leaks, outliers, queueing, resources
from performance.rules.base import Finding, Thresholds

RULES = (
    components.slow_components,
    resources.full_resources,
    leaks.leaks,
    errors.errors_that_set_in,
    outliers.slow_outliers,
    queueing.waiting,
    knee.knee,
    generator.generator_limit,
)
CAUSES = {"component", "resource", "leak"}
SYMPTOMS = {"queueing", "knee"}
DEFAULTS = Thresholds()
FEWEST = 30  # samples; below it nothing can be told


def find_bottlenecks(measured: Measured, thresholds: Thresholds = DEFAULTS) -> list[Finding]:
    """Return what held the run back, the strongest evidence first; empty where nothing was found."""
    if measured.n < FEWEST:
        return generator.generator_limit(measured, thresholds)
    found = [finding for rule in RULES for finding in rule(measured, thresholds)]
    return sorted(weighed(found), key=lambda finding: -finding.score)


def weighed(found: Sequence[Finding]) -> list[Finding]:
    """Lower the scores of what another finding explains."""
    kinds = {finding.kind for finding in found}
    return [dataclasses.replace(finding, score=finding.score * _weight(finding, kinds)) for finding in found]


def _weight(finding: Finding, kinds: set[str]) -> float:
    if finding.kind in SYMPTOMS and kinds & CAUSES:
        return 0.5
    if finding.kind == "errors" and finding.evidence.get("unanswered_share", 0) > 0.5:
        return 0.5 if kinds & (CAUSES | SYMPTOMS) else 1.0
    if finding.kind == "component" and finding.evidence.get("is_rest") and kinds & {"resource", "leak"}:
        return 0.5
    if finding.kind == "leak" and kinds & {"resource"}:
        return 0.8
    if finding.kind == "generator" and kinds & {"component", "errors", "leak"}:
        return 0.5  # what the target says of itself holds whatever the generator could
    return 1.0
