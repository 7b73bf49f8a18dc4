"""What is told about a report beside its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """What is told about a report beside its content; what is left out is taken from the report itself."""

    test_run_id: str = ""
    space: str = ""
    environment: str = ""
    triggered_by: str = ""
    branch: str = ""
    commit: str = ""
    tree_hash: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    shard: tuple[int, int] | None = None
    attempt: int = 1  # of the CI job that made the report; a later one decides about an earlier one
    definition: str = ""
    is_partial: bool = False  # more is to come, so that the run stays open

    def completed(self, context: Mapping[str, str]) -> Options:
        """Fill in what the report says of its own session."""
        return replace(
            self,
            test_run_id=self.test_run_id or context.get("test_run_id", ""),
            space=self.space or context.get("space", ""),
            environment=self.environment or context.get("environment", ""),
            branch=self.branch or context.get("branch", ""),
            commit=self.commit or context.get("commit", ""),
            tree_hash=self.tree_hash or context.get("tree_hash", ""),
            shard=self.shard or parse_shard(context.get("shard", "")),
        )


def parse_shard(text: str) -> tuple[int, int] | None:
    """Return `i/n` as two numbers, 1 ≤ i ≤ n; None for an empty text.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    first, _, last = text.partition("/")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 1000):
        raise ValueError("A shard is given as i/n, as in 1/4.")
    return int(first), int(last)
