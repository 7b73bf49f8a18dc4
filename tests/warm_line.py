"""The command line without the second that each process needs to begin: a fork of one that is warm.

Everything else is as a user has it: a process of its own for each command, with its folder, its
variables, its exit code and what it printed.  What the settings read from the environment is that of
the first command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.command_line import CommandLine
from tests.journeys.product import ROOT


class WarmCommandLine(CommandLine):
    """One installation whose commands are forks; `copy.copy` shares the process that is warm."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._warm = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_line"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0, **options) -> subprocess.CompletedProcess[str]:
        variables = {**self.environment, **options.pop("variables", {})}
        if options:
            return super().run(*arguments, code=code, variables=variables, **options)
        order = {"words": arguments, "folder": str(self.folder), "variables": variables}
        print(json.dumps(order), file=self._warm.stdin, flush=True)
        told = json.loads(self._warm.stdout.readline())
        done = subprocess.CompletedProcess(arguments, told["code"], told["stdout"], told["stderr"])
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def stop(self) -> None:
        self._warm.stdin.close()
        self._warm.wait()
        self._warm.stdout.close()


def serve() -> None:
    """Read orders line by line, and answer each with what came of it."""
    answers = os.fdopen(os.dup(1), "w")
    import django

    django.setup()
    from django.db import connections

    import batches.management.commands.batch
    import batches.management.commands.ci_batch_tests  # noqa: F401

    connections.close_all()
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                _obey(json.loads(line), out.fileno(), err.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told = {"code": code}
            for name, file in (("stdout", out), ("stderr", err)):
                file.seek(0)
                told[name] = file.read().decode(errors="replace")
        print(json.dumps(told), file=answers, flush=True)


def _obey(order: dict, out: int, err: int) -> None:
    from django.core.management import execute_from_command_line

    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["variables"])
    for here, there in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(here, there)
    code = 1
    try:
        sys.argv = ["manage.py", *order["words"]]
        execute_from_command_line(sys.argv)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
