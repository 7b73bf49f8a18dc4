"""Load what a URL names, with its project, for the guards of `access.permissions`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import Http404
from django.shortcuts import get_object_or_404

from access.models import ApiToken, Membership, Project
from executions.models import TestCase
from performance.models import ChangePoint, TrackRun, WorkloadRun
from tracking.models import Schedule, TestRun, WorkflowRun


@dataclass(frozen=True, slots=True)
class InProject:
    """Something that has no row of its own but belongs to a project."""

    project: Project


@dataclass(frozen=True, slots=True)
class WorkflowOfRun:
    """A workflow with its run and project."""

    workflow: WorkflowRun
    run: TestRun
    project: Project


@dataclass(frozen=True, slots=True)
class LoadOfProject:
    """A workload run with its project."""

    run: WorkloadRun
    project: Project


@dataclass(frozen=True, slots=True)
class ChangeOfProject:
    """A change of a workload's level with its project."""

    change: ChangePoint
    project: Project


@dataclass(frozen=True, slots=True)
class TrackOfProject:
    """A run of the whole track with its project."""

    track: TrackRun
    project: Project


def find_run(test_run_id: str) -> TestRun:
    runs = TestRun.objects.select_related("definition", "environment", "project", "rerun_of")
    found: TestRun | None = runs.by_name([test_run_id]).get(test_run_id)
    if found is None:
        raise Http404("There is no such run.")
    return found


def find_workflow(test_run_id: str, position: int) -> WorkflowOfRun:
    workflows = WorkflowRun.objects.select_related("run__definition", "run__environment", "run__project")
    workflow = get_object_or_404(workflows, run__test_run_id=test_run_id, position=position)
    return WorkflowOfRun(workflow, workflow.run, workflow.run.project)


def find_project(slug: str) -> InProject:
    return InProject(get_object_or_404(Project, slug=slug))


def find_membership(slug: str, pk: int) -> Membership:
    if pk > 2**63 - 1:
        raise Http404("There is nothing here.")
    return get_object_or_404(Membership.objects.select_related("user", "project"), pk=pk, project__slug=slug)


def find_case(pk: int) -> TestCase:
    if pk > 2**31 - 1:
        raise Http404("There is nothing here.")
    return get_object_or_404(TestCase.objects.select_related("project", "canonical"), pk=pk)


def find_token(slug: str, pk: int) -> ApiToken:
    if pk > 2**63 - 1:
        raise Http404("There is nothing here.")
    return get_object_or_404(ApiToken.objects.select_related("project"), pk=pk, project__slug=slug)


def find_schedule(slug: str, pk: int) -> Schedule:
    if pk > 2**63 - 1:
        raise Http404("There is nothing here.")
    found: Schedule = get_object_or_404(Schedule.objects.for_list(), pk=pk, project__slug=slug)
    return found


def find_workload_run(test_run_id: str) -> LoadOfProject:
    """A workload run by the UUID or the public id of its run."""
    runs = WorkloadRun.objects.for_list().select_related("run__project", "workload__project")
    try:
        wanted: dict[str, object] = {"pk": uuid.UUID(test_run_id)}
    except ValueError:
        wanted = {"run__test_run_id": test_run_id}
    run = get_object_or_404(runs, **wanted)
    return LoadOfProject(run, run.run.project)


def find_change(pk: int) -> ChangeOfProject:
    if pk > 2**63 - 1:
        raise Http404("There is nothing here.")
    change = get_object_or_404(ChangePoint.objects.select_related("workload__project"), pk=pk)
    return ChangeOfProject(change, change.workload.project)


def find_track(track_id: uuid.UUID) -> TrackOfProject:
    track = get_object_or_404(TrackRun.objects.select_related("project", "workload"), pk=track_id)
    return TrackOfProject(track, track.project)
