"""Start a tracked run and follow it to its end."""

from __future__ import annotations

import getpass
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.utils import timezone

from tracking import drive, lifecycle, report_text, tasks, tracker, tracking_file
from tracking.management.base import COULD_NOT_RUN, TestRunningCommand
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
        parser.add_argument("--branch", help="branch under test (default: the environment's)")
        parser.add_argument("--commit", default="", help="commit under test (default: git's HEAD here)")
        parser.add_argument("--triggered-by", default="", help="default: user@host")
        parser.add_argument("--no-wait", action="store_true", help="hand it to the workers and return")
        parser.add_argument("--dry-run", action="store_true", help="show what would be sent; store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.interrupts = 0
        self.text = self.stderr if options["format"] == "json" else self.stdout
        self.by = options["triggered_by"] or f"{getpass.getuser()}@{socket.gethostname()}"
        original = self.original(options)
        environment, definition = self.what_to_run(options, original)
        self.tell(f"Loading environment: {options['environment'] or environment.name}")
        self.tell(f"Starting test profile: {definition.name}")
        if options["dry_run"]:
            return self.preview(definition, environment, original, options)
        driver = "" if options["no_wait"] else drive.driver_name("run_tests")
        run = self.start(definition, environment, original, driver, options)
        self.tell(f"Test Run ID: {run.test_run_id}")
        if options["no_wait"]:
            return self.hand_over(run, options["format"])
        return self.follow(run, driver, options["format"])

    def original(self, options: dict[str, Any]) -> TestRun | None:
        return self.run_named(options["rerun"]) if options["rerun"] else None

    def what_to_run(
        self, options: dict[str, Any], original: TestRun | None
    ) -> tuple[Environment, TestDefinition]:
        if original:
            if options["environment"] or options["test"]:
                raise CommandError("--rerun repeats a run as it was: leave out -e and -t.")
            return original.environment, original.definition
        if not (options["environment"] and options["test"]):
            raise CommandError("Say where and what: run_tests -e ENV -t PROFILE, or --rerun TEST_RUN_ID.")
        project = self.project(options["project"])
        environment = self.environment(project, options["environment"])
        definitions = TestDefinition.objects.in_project(project)
        definition = definitions.filter(name=options["test"].replace("_", "-")).first()
        if definition is None:
            names = ", ".join(definitions.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"{project} has no test profile {options['test']!r}. There are: {names}.")
        return environment, definition

    def start(
        self,
        definition: TestDefinition,
        environment: Environment,
        original: TestRun | None,
        driver: str,
        options: dict[str, Any],
    ) -> TestRun:
        now = timezone.now()
        try:
            if original:
                return tracker.rerun(original, triggered_by=self.by, now=now, driver=driver)
            return tracker.start_run(
                definition,
                environment,
                triggered_by=self.by,
                now=now,
                branch=options["branch"] or "",
                commit_sha=options["commit"] or git_head(),
                driver=driver,
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
            )
        except NotRunnable as problem:
            raise CommandError(str(problem)) from None

    def preview(
        self,
        definition: TestDefinition,
        environment: Environment,
        original: TestRun | None,
        options: dict[str, Any],
    ) -> None:
        try:
            plan = (original and original.plan) or freeze_plan(
                definition,
                environment,
                branch=options["branch"] or "",
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
            )
        except NotRunnable as problem:
            raise CommandError(str(problem)) from None
        if options["format"] == "json":
            return self.print_json(plan)
        tag = f"{plan['test_type']}_<date>_<time>_<hex6>"
        self.tell(f"Would send to {plan['service']} at {plan['ref']}, each with job_name={tag}:")
        for step in plan["steps"]:
            inputs = (
                ", ".join(f"{key}={value}" for key, value in step["inputs"].items()) or "no further inputs"
            )
            what = " ".join(step["command"]) if plan["service"] == "local" else step["workflow"]
            self.tell(f"  {step['count']} × {what}  ({inputs})")
            limit = f"at most {step['at_most']} at once" if step["at_most"] else "no limit at once"
            self.tell(f"      from {step['start_after']:g} s on, {step['spacing']:g} s apart, {limit}")
        return self.tell("Nothing was sent and nothing was stored.")

    def hand_over(self, run: TestRun, form: str) -> None:
        reached = tasks.send(str(run.pk))
        tracking_file.write(run, settings.DATA, timezone.now())
        if form == "json":
            return self.print_json({"test_run_id": run.test_run_id, "status": run.status})
        if not reached:
            self.tell("No worker can be reached just now; the run begins when a server is started.")
        return self.tell(f"Follow it with `analyze_run --test-run-id {run}` or at /runs/{run}/.")

    def follow(self, run: TestRun, driver: str, form: str) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.interrupt())
        driving = Drive(run.pk, driver)
        driving.save(run)
        self.cancelled = False
        with LiveProgress(self.tell, self.text) as progress:

            def after_each(fresh: TestRun) -> None:
                progress.show(fresh)

            def stop() -> bool:
                self.pass_on_interrupt(driving)
                return self.interrupts > 1

            try:
                run = driving.until_closed(after_each, stop)
            finally:
                drive.release(run.pk, driver)
        self.finish(run, driving, form)

    def interrupt(self) -> None:
        """Called in the middle of anything, so it only counts; the loop does what has to be done."""
        self.interrupts += 1

    def pass_on_interrupt(self, driving: Drive) -> None:
        if self.interrupts and not self.cancelled:
            self.cancelled = True
            self.tell("Cancelling; once more leaves it to the workers.")
            lifecycle.request_cancel(driving.load(), by=f"{self.by} (interrupted)", now=timezone.now())

    def finish(self, run: TestRun, driving: Drive, form: str) -> None:
        driving.save(run)
        if run.is_running:
            tasks.send(str(run.pk))
            self.tell("The workers go on with the cancelling.")
        times = time_run(run)
        if form == "json":
            self.print_json({**report_text.as_json(run, times), "tracking_file": str(driving.path)})
        else:
            self.say(f"Tracking data saved to: {driving.path}", "")
            self.say(*report_text.summary(run, times))
        code = EXIT_CODES.get(run.status, COULD_NOT_RUN)
        if code:
            raise SystemExit(code)

    def tell(self, line: str) -> None:
        """Say something to people; with --format json that goes to standard error."""
        stream: OutputWrapper = self.text
        stream.write(line, style_func=str)
        stream.flush()


def git_head() -> str:
    """The commit of the checkout that the command is run in, if it is run in one."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path.cwd(),
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
