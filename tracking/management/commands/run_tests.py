"""Start a tracked run and follow it to its end."""

from __future__ import annotations

import contextlib
import re
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from tracking import ci, drive, lifecycle, plan_text, report_text, tasks, tracker
from tracking.identifiers import environment_name
from tracking.management.base import COULD_NOT_RUN, TestRunningCommand, elsewhere, listed
from tracking.management.caller import caller_name, checkout
from tracking.management.driving import Drive
from tracking.management.progress import LiveProgress
from tracking.models import Environment, TestDefinition, TestRun
from tracking.plan import NotRunnable, freeze_plan
from tracking.timing import time_run

EXIT_CODES = {"passed": 0, "failed": 1}


class Command(TestRunningCommand):
    help = "Send every workflow of a profile under one identifier and follow them to their end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-e", "--environment", metavar="ENV", help="where to run, e.g. aws_ecs")
        parser.add_argument("-t", "--test", metavar="PROFILE", help="what to run, e.g. performance")
        parser.add_argument("--rerun", metavar="TEST_RUN_ID", help="repeat exactly this run")
        parser.add_argument("--branch", default="", help="branch under test; sent as the ref")
        parser.add_argument("--commit", default="", help="commit under test")
        parser.add_argument("--triggered-by", default="", metavar="WHO", help="default: user@host")
        parser.add_argument("--no-wait", action="store_true", help="hand it to the workers and return")
        parser.add_argument("--dry-run", action="store_true", help="show what would be sent; store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        self.interrupts, self.cancelled = 0, False
        self.progress = LiveProgress(
            self.stderr if options["format"] == "json" else self.stdout, detail=options["detail"]
        )
        self.tell = self.progress.tell
        self.by = options["triggered_by"][:255] or caller_name()
        original = self.run_named(options["rerun"]) if options["rerun"] else None
        environment, definition = self.what_to_run(original)
        self.tell(f"Loading environment: {options['environment'] or environment.name}")
        self.tell(f"Starting test profile: {definition.name}")
        if options["dry_run"]:
            return self.preview(definition, environment, original)
        before = {number: signal.signal(number, self.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            driver = "" if options["no_wait"] else drive.driver_name("run_tests")
            run = self.start(definition, environment, original, driver)
            self.tell(f"Test Run ID: {run.test_run_id}")
            return self.hand_over(run) if options["no_wait"] else self.follow(run, driver)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def what_to_run(self, original: TestRun | None) -> tuple[Environment, TestDefinition]:
        where, what = self.options["environment"], self.options["test"]
        if original:
            self.demand_same(original, where, what)
            return original.environment, original.definition
        if not (where and what):
            raise CommandError("Say where and what: run_tests -e ENV -t PROFILE, or --rerun TEST_RUN_ID.")
        if self.options["commit"] and not re.fullmatch(r"[0-9a-f]{7,40}", self.options["commit"]):
            raise CommandError("--commit wants a commit's hash: 7 to 40 of the digits 0-9 and a-f.")
        if len(self.options["branch"]) > 255:
            raise CommandError("--branch wants a branch's name of at most 255 letters.")
        project = self.project(self.options["project"])
        environment = self.environment(project, where)
        profiles = TestDefinition.objects.filter(name=what.replace("_", "-"))
        definition = profiles.filter(project=project).first()
        if definition is None:
            names = listed(TestDefinition.objects.in_project(project).values_list("name", flat=True))
            raise CommandError(
                f"{project} has no test profile {what!r}. There are: {names}."
                + (elsewhere(profiles.values_list("project__slug", flat=True)) or _HOW_TO_ADD)
            )
        return environment, definition

    def demand_same(self, original: TestRun, where: str | None, what: str | None) -> None:
        """A rerun repeats a run as it was, so nothing of it can be chosen again."""
        same_place = where is None or environment_name(where) == original.environment.name
        same_profile = what is None or what.replace("_", "-") == original.definition.name
        if not (same_place and same_profile) or self.options["branch"] or self.options["commit"]:
            raise CommandError(
                f"--rerun repeats {original} as it was, {original.definition} on {original.environment}: "
                "leave out -e, -t, --branch and --commit."
            )

    def start(
        self, definition: TestDefinition, environment: Environment, original: TestRun | None, driver: str
    ) -> TestRun:
        now = timezone.now()
        try:
            if original:
                return tracker.rerun(original, triggered_by=self.by, now=now, driver=driver)
            branch, commit = self.under_test(environment, definition)
            return tracker.start_run(
                definition,
                environment,
                triggered_by=self.by,
                now=now,
                branch=branch,
                commit_sha=commit,
                driver=driver,
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
            )
        except NotRunnable as problem:
            raise CommandError(str(problem)) from None

    def under_test(self, environment: Environment, definition: TestDefinition) -> tuple[str, str]:
        """Branch and commit as told, else those of the checkout here, as long as it is what runs.

        A CI service runs the environment's ref, whatever is checked out here.
        """
        branch, commit = self.options["branch"], self.options["commit"]
        is_suite = definition.kind == TestDefinition.SUITE
        here, head = checkout(Path(definition.folder) if is_suite else Path.cwd())
        ref = branch or environment.ref or environment.project.default_branch
        if branch in ("", here) and (environment.service == "local" or here == ref):
            return here, commit or head
        return branch, commit

    def preview(self, definition: TestDefinition, environment: Environment, original: TestRun | None) -> None:
        try:
            plan = (original and original.plan) or freeze_plan(
                definition,
                environment,
                branch=self.options["branch"],
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
            )
            found = ci.connect(plan["service"], environment.project).preflight(plan, now=timezone.now())
        except (NotRunnable, ci.CIRefused, ci.CIUnavailable) as problem:
            raise CommandError(str(problem)) from None
        if self.options["format"] == "json":
            self.print_json({**plan_text.preview_json(plan), "faults": list(found.faults)})
        else:
            self.say(*plan_text.preview(plan), "Nothing was sent and nothing was stored.")
        if found.faults:
            raise CommandError("It could not run. " + " ".join(found.faults))

    def hand_over(self, run: TestRun) -> None:
        reached = tasks.send(str(run.pk)) and tasks.is_a_worker_there()
        driving = Drive(run.pk, "", warn=self.warn)
        driving.save(run)
        if not reached:
            self.warn("No worker can be reached just now; the run begins when the server is started next.")
        if self.options["format"] == "json":
            return self.print_json(
                {"test_run_id": run.test_run_id, "status": run.status, "tracking_file": str(driving.path)}
            )
        return self.tell(f"Follow it with `analyze_run --test-run-id {run}` or on the page /runs/{run}/.")

    def follow(self, run: TestRun, driver: str) -> None:
        driving = Drive(run.pk, driver, warn=self.warn)
        driving.save(run)
        try:
            with self.progress:
                run = driving.until_closed(
                    self.progress.show, lambda: self.interrupts > 1, lambda: self.pass_on_interrupt(run)
                )
            self.pass_on_interrupt(run)
        except DatabaseError:
            self.warn(f"{run} is left to the workers: what was sent goes on, and they follow it.")
            raise
        finally:
            # What stood against the run may stand against this as well; that fault is the one to tell.
            with contextlib.suppress(DatabaseError):
                drive.release(run.pk, driver)
                driving.save(driving.load())
        self.finish(driving)

    def interrupt(self, *_: object) -> None:
        """Called in the middle of anything, so it only counts; the loop does what has to be done."""
        self.interrupts += 1

    def pass_on_interrupt(self, run: TestRun) -> None:
        if self.interrupts and not self.cancelled:
            self.tell("Cancelling; once more leaves it to the workers.")
            lifecycle.request_cancel(run, by=f"{self.by} (interrupted)", now=timezone.now())
            self.cancelled = True

    def finish(self, driving: Drive) -> None:
        run = driving.load()
        if run.is_running:
            reached = tasks.send(str(run.pk)) and tasks.is_a_worker_there()
            when = "" if reached else " when the server is started next; none can be reached just now"
            self.tell(f"The workers go on with the cancelling{when}.")
        times = time_run(run)
        if self.options["format"] == "json":
            self.print_json({**report_text.as_json(run, times), "tracking_file": str(driving.path)})
        else:
            saved = f"Tracking data saved to: {driving.path}" if driving.path else "No tracking file."
            for line in (saved, "", *report_text.summary(run, times)):
                self.tell(line)
        code = EXIT_CODES.get(run.status, COULD_NOT_RUN)
        if code:
            raise SystemExit(code)

    def warn(self, text: str) -> None:
        """Say on standard error what does not stop the run."""
        self.stderr.write(text)


_HOW_TO_ADD = " docs/tracked-runs.md tells how to add one."
