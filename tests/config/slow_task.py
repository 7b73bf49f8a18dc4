"""A task in flight for as long as a test wants; sent by name from outside the server."""

import os
import sys
import time
from pathlib import Path

from celery import shared_task


@shared_task(name="tests.config.slow_task.write_lines")  # also where this file is the program
def write_lines(path: str, seconds: float) -> None:
    with Path(path).open("a") as lines:
        lines.write(f"began {os.getpid()}\n")
    time.sleep(seconds)
    with Path(path).open("a") as lines:
        lines.write(f"ended {os.getpid()}\n")


if __name__ == "__main__":
    import django

    django.setup()
    write_lines.delay(sys.argv[1], float(sys.argv[2]))
