#!/usr/bin/env python3
"""Django's command line for Runtrail; `bin/runtrail` is the same from any directory."""

import os
import sys

NEED_A_DATABASE = {"run_tests", "analyze_run", "cancel_run"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    if NEED_A_DATABASE & set(sys.argv[1:2]):
        try:
            django.setup()
            from config.first_start import ensure_database

            ensure_database()
        except ImproperlyConfigured as problem:
            sys.exit(f"Runtrail can't start: {problem}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
