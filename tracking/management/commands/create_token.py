"""Make a token for a program and print it, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access.models import ApiToken
from access.tokens import new_token
from tracking.management.base import RuntrailCommand, positive
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

        parser.add_argument(
            "--days", type=positive, help="for how long it opens (default: until it is revoked)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project, days = self.project(options["project"]), options["days"]
        try:
            expires_at = timezone.now() + timedelta(days=days) if days else None
            name, scope = options["name"], options["scope"]
            _, text = new_token(project, name, scope, by=caller_name(), expires_at=expires_at)
        except OverflowError:
            raise CommandError(f"{days} days are more than the calendar has.") from None
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        self.say(text)
        self.stderr.write(f"Scope {options['scope']} in {project}. It is shown only now; keep it safe.")
