"""Look at the runs of CI, whoever started them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analysis.wording import in_words
from tracking import ci
from tracking.management.base import RuntrailCommand
from tracking.since import since_of

FORMATS = ["ids", "text", "json"]
LONG_AGO = "365days"


class Command(RuntrailCommand):
    help = "Runs of CI: list them, or show one with its jobs."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        what = parser.add_subparsers(dest="what", required=True, metavar="list|show")
        shown = what.add_parser("list", help="the runs of the last days, the newest first")
        shown.add_argument("--since", default="7days", help="as in 7days, 36h or 2026-02-01 (7days)")
        shown.add_argument("--format", dest="its_format", choices=FORMATS, default=None)
        one = what.add_parser("show", help="one run with its jobs; piped on, --latest prints its id alone")
        one.add_argument("run_id", nargs="?", type=int, metavar="RUN_ID", help="without: the latest")
        one.add_argument("--latest", action="store_true", help="the newest run there is")
        one.add_argument("--format", dest="its_format", choices=FORMATS, default=None)
        for parser_of_one in (shown, one):
            parser_of_one.add_argument(
                "-p", "--project", dest="its_project", default=None, help="slug of the project"
            )
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["its_project"] or options["project"])
        form = options["its_format"] or options["format"]
        try:
            history = ci.connect("github", project).history()
            if options["what"] == "list":
                since = since_of(options["since"], now=timezone.now())
                self.list_runs(list(history.runs(since)), form, options["since"])
            elif options["run_id"] and options["latest"]:
                raise CommandError("Name a run, or ask for the --latest; not both.")
            else:
                self.show(history, options, form)
        except (ValueError, ci.CIRefused, ci.CIUnavailable) as problem:
            raise CommandError(f"{problem}".rstrip(".") + ".") from None

    def list_runs(self, runs: list[ci.PastRun], form: str, since: str) -> None:
        if form == "ids":
            return self.say(*(str(past.number) for past in runs))
        if form == "json":
            return self.print_json([as_json(past) for past in runs])
        if not runs:
            return self.say(f"No run of CI since {since}.")
        return self.say(*(_line(past) for past in runs))

    def show(self, history: ci.CIHistory, options: dict[str, Any], form: str) -> None:
        past = history.run(options["run_id"]) if options["run_id"] else self.latest(history)
        is_piped = options["latest"] and not self.stdout.isatty()
        if form == "ids" or (is_piped and options["its_format"] is None):
            return self.say(str(past.number))
        jobs = history.jobs(past)
        if form == "json":
            return self.print_json({**as_json(past), "jobs": [job_as_json(job) for job in jobs]})
        remote = past.remote
        return self.say(
            _line(past),
            f"  branch {remote.branch or '–'}, commit {remote.commit_sha[:12] or '–'}",
            f"  {remote.url}",
            *(_job_line(job) for job in jobs),
            f"Fetch it: sync_ci {past.number}",
        )

    def latest(self, history: ci.CIHistory) -> ci.PastRun:
        past = next(history.runs(since_of(LONG_AGO, now=timezone.now())), None)
        if past is None:
            raise CommandError("CI has no run of this repository yet.")
        return past


def as_json(past: ci.PastRun) -> dict[str, Any]:
    """One run, in the names of Runtrail's files; times in UTC."""
    remote = past.remote
    return {
        "id": past.number,
        "workflow": past.workflow,
        "path": past.path,
        "title": remote.title,
        "event": past.event,
        "status": remote.status,
        "conclusion": remote.conclusion,
        "attempt": remote.attempt,
        "branch": remote.branch,
        "commit": remote.commit_sha,
        "actor": past.actor,
        "created_at": remote.created_at,
        "url": remote.url,
    }


def job_as_json(job: ci.RemoteJob) -> dict[str, Any]:
    """One job; queue and execution in seconds."""
    return {
        "id": job.job_id,
        "name": job.name,
        "attempt": job.attempt,
        "status": job.status,
        "conclusion": job.conclusion,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "queue": _seconds(job.created_at, job.started_at) if job.runner_id else None,
        "execution": _seconds(job.started_at, job.completed_at) if job.runner_id else None,
        "runner": job.runner_name,
        "labels": job.labels,
    }


def _line(past: ci.PastRun) -> str:
    remote = past.remote
    at = f"{remote.created_at:%Y-%m-%d %H:%M}" if remote.created_at else "–"
    return f"{past.number}  {at}  {remote.conclusion or remote.status:11} {remote.branch:20} {past.workflow}"


def _job_line(job: ci.RemoteJob) -> str:
    shown = job_as_json(job)
    times = f"queue {in_words(shown['queue'])}, execution {in_words(shown['execution'])}"
    again = f" (attempt {job.attempt})" if job.attempt > 1 else ""
    return f"  {job.conclusion or job.status:11} {job.name}{again}: {times}"


def _seconds(begin: Any, end: Any) -> float | None:
    return max((end - begin).total_seconds(), 0.0) if begin and end else None
