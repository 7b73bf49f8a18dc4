#!/usr/bin/env python3
"""Django's command line for Runtrail; `bin/runtrail` is the same from any directory."""

import os
import sys

RUN_TESTS = {
    "run_tests",
    "run_local_tests",
    "batch",
    "ci_batch_tests",
    "workload",
}  # where 1 means that tests failed, so that a fault must be another number
HISTORY = {"stats", "report", "import_report"}
RUNS = {"analyze_run", "cancel_run", "compare_runs", "generate_report"}
NEED_A_DATABASE = RUN_TESTS | HISTORY | RUNS | {"create_token", "load_profiles"}
TAKE_A_DATABASE = HISTORY | {"run_local_tests"}  # by --db
SEND = {"run_local_tests"}  # to a server, where one is named


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in TAKE_A_DATABASE:
        name_database(sys.argv[2:])
    is_sent = command in SEND and os.environ.get("RUNTRAIL_URL") and os.environ.get("RUNTRAIL_TOKEN")
    needs_database = not is_sent and command in NEED_A_DATABASE and not {"-h", "--help"} & set(sys.argv)
    set_up(needs_database, fault=3 if command in RUN_TESTS else 1)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def name_database(arguments: list[str]) -> None:
    """Take `--db` before the settings are read."""
    for position, argument in enumerate(arguments):
        if argument == "--":
            return
        if argument == "--db" and arguments[position + 1 :]:
            os.environ["RUNTRAIL_DB"] = arguments[position + 1]
        elif argument.startswith("--db="):
            os.environ["RUNTRAIL_DB"] = argument.removeprefix("--db=")


def set_up(needs_database: bool, fault: int) -> None:
    """Set Django up; make the embedded database where a fresh checkout has none yet."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    try:
        django.setup()
        if needs_database:
            from config.first_start import ensure_database

            ensure_database()
    except ImproperlyConfigured as problem:
        end(f"Runtrail can't start: {problem}", fault)
    except (DatabaseError, OSError) as problem:
        end(f"The database can't be made or read: {problem}. Is there room, and may you write there?", fault)
    except KeyboardInterrupt:
        end("Interrupted.", fault)


def end(text: str, code: int) -> None:
    sys.stderr.write(f"{text}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
