"""The generator was the limit, so that the target's is not known."""

from __future__ import annotations

from performance.measured import Measured
from performance.rules.base import Finding, Thresholds


def generator_limit(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return what the generator said of itself, if it did."""
    if not measured.generator_limit:
        return []
    text = f"The generator was the limit: {measured.generator_limit} Give it more processes or machines."
    return [Finding("generator", "generator", 1.0, text, None, {"said": measured.generator_limit})]
