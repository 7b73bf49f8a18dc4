"""Make a token for a program and print it, once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from access.models import ApiToken
from access.tokens import new_token
from tracking.management.base import RuntrailCommand
from tracking.management.caller import caller_name


class Command(RuntrailCommand):
    help = "Make a token for the API and print it, once; nothing else goes to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="to know the token by, as in ci")
        parser.add_argument(
            "--scope",
            choices=ApiToken.Scope.values,
            default="report",
            help="read: look; report: also start runs and report results; admin: all (default: report)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["project"])
        try:
            _, text = new_token(project, options["name"], options["scope"], by=caller_name())
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        self.say(text)
        self.stderr.write(f"Scope {options['scope']} in {project}. It is shown only now; keep it safe.")
