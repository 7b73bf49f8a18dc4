"""take in what k6, JMeter, Locust, hyperfine, pytest-benchmark or Google Benchmark measured"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance import run_text
from performance.importing import import_results
from performance.imports.reading import read_results
from performance.imports.results import UnreadableResult
from tracking.management.caller import caller_name, checkout
from tracking.plan import NotRunnable


def add(parser: CommandParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a result, plain or gzip")
    parser.add_argument("--workload", required=True, metavar="NAME", help="whose run it is; made when new")
    parser.add_argument("-e", "--environment", default="local", metavar="ENV")
    parser.add_argument("--branch", default="", help="default: what git has checked out here")
    parser.add_argument("--commit", default="", help="default: what git has checked out here")


def run(command: Any, options: dict[str, Any]) -> None:
    project = command.project(options["project"])
    environment = command.environment(project, options["environment"])
    branch, commit = checkout(Path.cwd())
    told = []
    for path in options["files"]:
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                stream.seek(0)
                results = read_results(stream)
            found, is_new = import_results(
                options["workload"],
                results,
                environment=environment,
                triggered_by=caller_name(),
                digest=digest,
                now=timezone.now(),
                metadata={"file": path.name},
                branch=(options["branch"] or branch)[:255],
                commit_sha=(options["commit"] or commit)[:40],
            )
        except OSError as problem:
            raise CommandError(f"{path} can't be read: {problem.strerror}.") from None
        except (UnreadableResult, NotRunnable) as problem:
            raise CommandError(f"{path}: {problem}") from None
        told.append((path, found, is_new))
    if options["format"] == "json":
        return command.print_json([{**run_text.as_json(one), "is_new": is_new} for _, one, is_new in told])
    for path, one, is_new in told:
        again = "" if is_new else " (it was taken in before)"
        command.say(f"{path}: {one.run.test_run_id}{again}")
    return None
