#!/usr/bin/env python3
"""Django's command line for Runtrail; `bin/runtrail` is the same from any directory."""

import os
import sys

RUN_TESTS = {"run_tests"}  # these end with 3 where they could not run
NEED_A_DATABASE = RUN_TESTS | {"analyze_run", "cancel_run"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        django.setup()
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"Runtrail can't start: {problem}\n")
        sys.exit(3 if command in RUN_TESTS else 1)
    if command in NEED_A_DATABASE:
        from config.first_start import ensure_database

        ensure_database()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
