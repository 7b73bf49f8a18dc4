"""Take in what a generator left in its folder: keep the samples, count them, close the run."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction

from performance.bottlenecks import analyze_if_possible
from performance.figures import Figure
from performance.gathering import keep_host_series
from performance.generating import read_json
from performance.models import WorkloadRun
from performance.samples import NoSamples, Samples, pack, read_folder
from performance.sources.host_samples import HOST_FILE
from performance.specification import spec_of
from performance.summarize import summarize
from tracking.lifecycle import Status, close_run
from tracking.models import RunEvent, RunFile, TestRun
from tracking.tracker import note

log = structlog.get_logger(__name__)
_LIMITS = {"p50": "half of the requests", "p95": "95 % of the requests", "p99": "99 % of the requests"}


def collect(
    workload_run: WorkloadRun, folder: Path, storage: Storage, *, now: datetime, broken: str = ""
) -> TestRun:
    """Keep what was measured and close the run by what its generator said; its folder is removed.

    Args:
        folder: the generator's, which may have ended in the middle of anything.
        broken: why the generator could not say how it ended.
    """
    end = read_json(folder / "end.json")
    figures: list[Figure] = []
    _take_facts(workload_run, folder, end, now)
    keep_host_series(workload_run.run, folder / HOST_FILE)
    try:
        samples = read_folder(folder)
    except NoSamples as problem:
        broken = broken or end.get("text") or str(problem)
    else:
        lost = _keep_if_there_is_room(workload_run, samples, storage)
        broken = " ".join(text for text in (broken, lost) if text)
        figures = summarize(workload_run, samples, now=now)
        del samples
    status, reason = verdict(workload_run, end, figures, broken)
    if workload_run.requests:
        kept = f"{workload_run.requests:,} requests measured, {workload_run.errors:,} errors."
        note(workload_run.run, "measured", kept, now)
    close_run(workload_run.run, status, reason=reason, now=now)
    shutil.rmtree(folder, ignore_errors=True)
    if workload_run.requests:
        analyze_if_possible(workload_run, storage=storage, now=now)
    return workload_run.run


def _keep_if_there_is_room(workload_run: WorkloadRun, samples: Samples, storage: Storage) -> str:
    """Keep the samples; return why they could not be, which must not cost the figures as well."""
    try:
        keep_samples(workload_run, samples, storage)
    except Exception as problem:  # a disk and a bucket fail in many ways
        log.exception("samples_not_kept", run=str(workload_run))
        why = getattr(problem, "strerror", None) or f"{type(problem).__name__}: {problem}"
        return (
            f"Its samples could not be stored: {why}. The figures counted of them are kept; make room where "
            "the artifacts lie and run it again."
        )
    return ""


def keep_samples(workload_run: WorkloadRun, samples: Samples, storage: Storage) -> None:
    """Put the samples into the storage as one file, and remember its name."""
    workload_run.samples, workload_run.samples_bytes = "", 0
    run = workload_run.run
    name = f"workloads/{run.project.slug}/{workload_run.workload.name}/{run.test_run_id}.npz"
    with tempfile.TemporaryFile() as file:
        pack(samples, file)
        size = file.tell()
        file.seek(0)
        if storage.exists(name):
            storage.delete(name)
        try:
            workload_run.samples = storage.save(name, File(file, name))
        except Exception:
            with contextlib.suppress(Exception):  # half a file would be taken for all samples
                storage.delete(name)
            raise
    workload_run.samples_bytes = size
    with transaction.atomic():
        workload_run.save(update_fields=["samples", "samples_bytes"])
        RunFile.objects.update_or_create(name=workload_run.samples, defaults={"run": run})


def verdict(
    workload_run: WorkloadRun, end: dict[str, Any], figures: list[Figure], broken: str
) -> tuple[str, str]:
    """Return the status of the run and why."""
    run = workload_run.run
    if run.cancel_requested_at and not broken:
        return Status.CANCELLED, _who_cancelled(run)
    if broken:
        return Status.ERROR, broken
    if end.get("reason") == "error":
        return Status.ERROR, str(end.get("text") or "The generator failed.")
    if end.get("reason") == "aborted":
        return Status.FAILED, f"The target was on its knees: {end.get('text')}"
    if end.get("reason") == "stopped":
        return Status.ERROR, "The generator was stopped by somebody else."
    if not workload_run.requests:
        return Status.ERROR, "Nothing was measured: no request ended after the warm-up."
    missed, untold = judged_by_limits(workload_run, figures)
    if missed and workload_run.generator_limit:
        return Status.ERROR, f"It can't be judged: {workload_run.generator_limit} Otherwise: {missed}"
    if untold and not missed:
        return Status.ERROR, f"It can't be judged: {untold}"
    return (Status.FAILED, missed) if missed else (Status.PASSED, workload_run.generator_limit)


def judged_by_limits(workload_run: WorkloadRun, figures: list[Figure]) -> tuple[str, str]:
    """Which limits of the workload the run did not keep, and which it was too short for, in words."""
    limits = spec_of(workload_run).limits
    missed, untold = [], []
    whole = {figure.name: figure for figure in figures if not figure.request}
    share = workload_run.error_share or 0.0
    if limits.error_share is not None and share > limits.error_share:
        missed.append(
            f"{workload_run.errors:,} of {workload_run.requests:,} requests were errors "
            f"({share:.2%}; the limit is {limits.error_share:.2%})"
        )
    for key, who in _LIMITS.items():
        limit, value = getattr(limits, key), getattr(whole.get("latency"), key, None)
        if limit is not None and value is None:
            untold.append(f"{workload_run.requests:,} requests are too few to tell {key}")
        elif limit is not None and value > limit:
            missed.append(f"{who} took up to {value:.4g} s, the limit is {limit:.4g} s")
    rate = whole["throughput"].value if "throughput" in whole else None
    if limits.throughput is not None and rate is not None and rate < limits.throughput:
        missed.append(f"throughput was {rate:.4g} 1/s, the limit is {limits.throughput:.4g} 1/s")
    return _sentence(missed), _sentence(untold)


def _sentence(parts: list[str]) -> str:
    return "; ".join(parts) + "." if parts else ""


def _take_facts(workload_run: WorkloadRun, folder: Path, end: dict[str, Any], now: datetime) -> None:
    facts = dict(end.get("facts") or {})
    workload_run.progress = read_json(folder / "progress.json") or workload_run.progress
    for key, column in (("started_at", "load_started_at"), ("ended_at", "load_ended_at")):
        if key in facts:
            setattr(workload_run, column, datetime.fromtimestamp(facts.pop(key), UTC))
    if workload_run.load_started_at and not workload_run.load_ended_at:
        workload_run.load_ended_at = now
    workload_run.generator_facts = facts
    workload_run.generator_limit = end.get("generator_limit") or ""
    if end.get("reason") != "done":
        workload_run.stopped_early = end.get("text") or "The generator ended before its time."
    workload_run.save()


def _who_cancelled(run: TestRun) -> str:
    asked = RunEvent.objects.filter(run=run, kind="cancelled").values_list("text", flat=True).first()
    return (asked or "Cancelled.").split(";")[0]
