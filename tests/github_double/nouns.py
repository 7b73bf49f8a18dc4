"""What there is at GitHub: repositories, workflow files, runs, attempts, jobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import yaml

BUILD_JOB = """\
name: Realistic Build Job
run-name: ${{ inputs.job_name }} ${{ inputs.dispatch_id }}
on:
  workflow_dispatch:
    inputs:
      job_name: {description: Custom job identifier, required: false, default: build}
      workload_type: {required: false, default: standard}
      dispatch_id: {required: false, default: ""}
jobs:
  build: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
"""


@cache
def _read(text: str) -> dict[Any, Any]:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return {}


@dataclass(frozen=True)
class Behaviour:
    """How a run goes: seconds, and the names of its jobs, one after the other is ready at once."""

    queue: float = 5
    execution: float = 20
    conclusion: str = "success"
    jobs: tuple[str, ...] = ("build",)
    waits: float = 0  # seconds for an approval, before it is queued
    early: tuple[str, ...] = ()  # jobs that end at half of the execution
    conclusions: dict[str, str] = field(default_factory=dict)  # of jobs that end otherwise


@dataclass
class File:
    id: int
    path: str
    text: str
    state: str = "active"

    @property
    def data(self) -> dict[Any, Any]:
        return _read(self.text)

    @property
    def name(self) -> str:
        return str(self.data.get("name") or self.path)

    @property
    def trigger(self) -> dict[str, Any] | None:
        on = self.data.get("on", self.data.get(True)) or {}
        if isinstance(on, dict) and "workflow_dispatch" in on:
            return (on["workflow_dispatch"] or {}).get("inputs") or {}
        return {} if on == "workflow_dispatch" else None


@dataclass
class Repository:
    id: int
    full_name: str
    default_branch: str = "main"
    branches: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40})
    files: dict[int, File] = field(default_factory=dict)
    may_write: bool = True
    old_names: set[str] = field(default_factory=set)

    def tree_of(self, sha: str) -> str:
        return hashlib.sha1(sha.encode(), usedforsecurity=False).hexdigest()

    def file(self, key: str) -> File | None:
        return next(
            (one for one in self.files.values() if key in (str(one.id), one.path.rsplit("/", 1)[-1])), None
        )


@dataclass
class Job:
    id: int
    name: str
    created_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    runner_id: int | None = None


@dataclass
class Artifact:
    """A file that a run left; `served` counts how often its bytes went out."""

    id: int
    run: Run
    name: str
    content: bytes
    created_at: datetime
    expires_at: datetime
    served: int = 0


@dataclass
class Attempt:
    number: int
    started_at: datetime
    updated_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    jobs: list[Job] = field(default_factory=list)


@dataclass
class Run:
    id: int
    repo: Repository
    file: File
    ref: str
    title: str
    inputs: dict[str, str]
    created_at: datetime
    event: str = "workflow_dispatch"
    attempts: list[Attempt] = field(default_factory=list)
