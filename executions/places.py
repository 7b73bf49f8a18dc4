"""Where the results of a report belong: its run, found or made, and the run's set of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from access.models import Project
from executions.models import ResultSet
from executions.reports.base import ReportFacts
from executions.told import Options
from tracking.identifiers import demand_public_name, local_run_id, new_test_run_id, parse_test_run_id
from tracking.models import Space, TestRun
from tracking.recording import named_definition, named_environment
from tracking.tracker import note

OLDEST, LATEST = timedelta(days=400), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    run: TestRun
    result_set: ResultSet


def place_of(project: Project, told: Options, facts: Sequence[ReportFacts], *, now: datetime) -> Place:
    """Return the run of a report and its set of results; both are made where they are new.

    Raises:
        ValueError: a name that can be part of no identifier, or a run of another project.
    """
    run = TestRun.objects.filter(test_run_id=told.test_run_id).first() if told.test_run_id else None
    if run is not None and run.project_id != project.pk:
        raise ValueError(f"There is no run {told.test_run_id} in {project}, and its id is taken elsewhere.")
    if run is None:
        run = _new_run(project, told, facts, now=now)
    else:
        _learn(run, told, facts)
    code = run.tree_hash or run.commit_sha
    result_set, is_new = ResultSet.objects.get_or_create(
        run=run,
        defaults={
            "project": project,
            "space": run.space,
            "started_at": min(max(run.started_at, now - OLDEST), now + LATEST),
            "code": code,
            "shards": told.shard[1] if told.shard else None,
        },
    )
    if not is_new and told.shard and result_set.shards != told.shard[1]:
        result_set.shards = max(told.shard[1], result_set.shards or 0)
        result_set.save(update_fields=["shards"])
    return Place(run, result_set)


def _new_run(project: Project, told: Options, facts: Sequence[ReportFacts], *, now: datetime) -> TestRun:
    space = told.space or (Space.LOCAL if told.environment == "local" else Space.CI)
    if space not in Space.values:
        raise ValueError(f"There is no space {space!r}; there are local and ci.")
    if told.test_run_id:
        demand_public_name(told.test_run_id)
    definition = named_definition(project, told.definition or _test_type(told.test_run_id) or space)
    environment, _ = named_environment(project, told.environment or space)
    started = min((one.started_at for one in facts if one.started_at), default=now)
    run = TestRun.objects.create(
        test_run_id=told.test_run_id
        or free_id(definition.test_type, space, started if space == "local" else now),
        project=project,
        definition=definition,
        environment=environment,
        space=space,
        branch=told.branch[:255],
        commit_sha=told.commit[:40],
        tree_hash=told.tree_hash[:40],
        triggered_by=(told.triggered_by or "a report")[:255],
        metadata={**_metadata(facts), **told.metadata},
        plan={"test_type": definition.test_type, "service": environment.service, "steps": []},
        started_at=min(started, now),
    )
    note(run, "started", f"Made for a report of {told.triggered_by or 'somebody'}.", now)
    return run


def _learn(run: TestRun, told: Options, facts: Sequence[ReportFacts]) -> None:
    """A run that began without results learns its machine and its code from them; what it knows stays."""
    found = _metadata(facts)
    machine = {name: found[name] for name in ("platform", "python_version") if found.get(name)}
    new: dict[str, Any] = {}
    if machine.keys() - run.metadata.keys():
        new["metadata"] = {**machine, **run.metadata}
    code = {"branch": told.branch[:255], "commit_sha": told.commit[:40], "tree_hash": told.tree_hash[:40]}
    if not run.commit_sha or run.commit_sha == code["commit_sha"]:
        new |= {name: value for name, value in code.items() if value and not getattr(run, name)}
    if new:
        for name, value in new.items():
            setattr(run, name, value)
        run.save(update_fields=list(new))


def _test_type(test_run_id: str) -> str:
    """The test type that an id of ours tells; empty where it is none."""
    try:
        return parse_test_run_id(test_run_id)[0]
    except ValueError:
        return ""


def free_id(test_type: str, space: str, at: datetime) -> str:
    """Return a public name that no run has."""
    if space == Space.LOCAL:
        names = (local_run_id(at, number) for number in count(1))
    else:
        names = (new_test_run_id(test_type, at) for _ in count())
    return next(name for name in names if not TestRun.objects.filter(test_run_id=name).exists())


def _metadata(facts: Sequence[ReportFacts]) -> dict[str, str]:
    """What the reports say of the machine, as seed 004 keeps it: platform, python_version."""
    found: dict[str, str] = {}
    for one in facts:
        found |= {name: value for name, value in one.metadata.items() if name not in found}
        source = one.context
        found |= {
            name: source[name]
            for name in ("source", "pytest_args", "pull_request", "directory")
            if name in source and name not in found
        }
    return found
