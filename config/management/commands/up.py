"""The whole server in one command; `script/server` ends here."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from analysis.wording import count
from config import demo, first_start
from config.supervisor import CanNotStart, Supervisor
from tracking.models import TestRun

ROOM = "Is there room, and may you write there?"


class Stopped(BaseException):
    """Told to end before anything was started; no handler of errors may take it for one."""


class Command(BaseCommand):
    help = "Serve the pages, with a worker, the scheduler and the runner of local jobs, until Ctrl-C."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
        parser.add_argument(
            "--no-demo", action="store_true", help="make no demo project on an empty database"
        )

    def handle(self, *args: Any, host: str, port: int, no_demo: bool, **options: Any) -> None:
        begun = time.monotonic()
        supervisor = Supervisor(host=host, port=port, say=self.say)
        self.preparing = True

        def stop(*_: object) -> None:
            supervisor.stopping = True
            if self.preparing:  # what is half done is undone or done again at the next start
                raise Stopped

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        try:
            supervisor.check()
            welcome = self.prepare(with_demo=not no_demo)
            if shop := demo.target_port():
                supervisor.add("shop", [sys.executable, "-m", "demo.target", "--port", str(shop)])
                welcome.append(f"The demo's shop, to put load on, is at {demo.address(shop)}.")
            self.preparing = False
            supervisor.start()
            supervisor.watch(lambda: self.announce(host, port, time.monotonic() - begun, welcome))
        except Stopped:
            pass
        except CanNotStart as problem:
            raise CommandError(str(problem)) from None
        except DatabaseError as problem:
            raise CommandError(database_trouble(problem)) from None
        except OSError as problem:
            raise CommandError(f"{settings.DATA} can't be used: {problem}. {ROOM}") from None
        finally:
            self.preparing = False
            supervisor.end()
        self.say("Stopped.")

    def prepare(self, *, with_demo: bool) -> list[str]:
        """Bring database and static files up to date; return what to tell at the first start."""
        stamp = settings.DATA / "prepared"
        wanted = (
            f"{settings.DATABASES['default']['NAME']}\n{first_start.migrations_stamp()}\n{static_stamp()}"
        )
        is_new = not stamp.exists() or stamp.read_text() != wanted
        if is_new or first_start.is_half_made() or not database_is_there():
            self.say("Bringing the database up to date …")
            first_start.bring_up_to_date()
            self.say("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)
            stamp.write_text(wanted)
        return self.first_things(with_demo=with_demo)

    def first_things(self, *, with_demo: bool) -> list[str]:
        """Give an empty database its project and demo."""
        first_start.make_project("default", "Default")
        if with_demo and not TestRun.objects.exists():
            project = demo.make_demo()
            run = demo.start_demo(project)
            return [
                f"A first run is on its way: {count(run.workflow_runs.count(), 'job')} of {run.definition}."
            ]
        return []

    def announce(self, host: str, port: int, seconds: float, welcome: list[str]) -> None:
        shown = f"[{host}]" if ":" in host else host
        self.say(f"Runtrail is ready at http://{shown}:{port} (after {seconds:.1f} s). Ctrl-C stops it.")
        with transaction.atomic():  # who is killed before the password was shown has made no administrator
            if password := first_start.make_administrator():
                self.say(f"Log in as admin with the password {password} (it is shown this once).")
        for line in welcome:
            self.say(line)
        self.say(f"Logs are in {settings.DATA / 'logs'}.")

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # who reads may have gone, and a file may have no room
            self.stdout.write(line)
            self.stdout.flush()


def database_trouble(problem: DatabaseError) -> str:
    """What can't be used, why, and what to look at."""
    said = " ".join(str(problem).split())
    if connection.vendor == "sqlite":
        return f"The database {connection.settings_dict['NAME']} can't be used: {said}. {ROOM}"
    return f"The database that DATABASE_URL names can't be used: {said}"


def database_is_there() -> bool:
    """Whether the database that the stamp speaks of still has its tables."""
    return "test_runs" in connection.introspection.table_names()


def static_stamp() -> str:
    """Something that changes when a static file does."""
    files = (path for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file())
    seen = sorted((str(path), path.stat().st_mtime_ns) for path in files)
    return hashlib.sha256(repr(seen).encode()).hexdigest()
