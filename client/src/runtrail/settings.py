"""What the environment and the ini file say of recording and sending."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtrail.destination import Destination
from runtrail.spool import default_folder

_TRACKED = re.compile(r"[a-z0-9][a-z0-9-]*_\d{8}_\d{6}_[0-9a-f]{6}")


@dataclass(frozen=True)
class Settings:
    """What the ini file and the environment say of recording."""

    destination: Destination
    spool: Path
    timeout: float = 10.0
    environment: str = ""
    space: str = ""
    test_run_id: str = ""
    shard: str = ""
    report: Path | None = None  # write here and send nothing


def settings_from(
    environment: Mapping[str, str], ini: Callable[[str], str] = lambda _: "", report: Path | None = None
) -> Settings:
    """Read the settings; the environment wins over the ini file."""
    try:
        timeout = float(environment.get("RUNTRAIL_TIMEOUT") or ini("runtrail_timeout") or 10)
    except ValueError:
        timeout = 10.0
    return Settings(
        Destination(
            environment.get("RUNTRAIL_URL") or ini("runtrail_url"),
            environment.get("RUNTRAIL_TOKEN") or ini("runtrail_token"),
        ),
        default_folder(environment),
        timeout,
        environment.get("RUNTRAIL_ENVIRONMENT") or ini("runtrail_environment"),
        environment.get("RUNTRAIL_SPACE", ""),
        environment.get("RUNTRAIL_TEST_RUN_ID") or _tracked_run(environment),
        environment.get("RUNTRAIL_SHARD", ""),
        report,
    )


def _tracked_run(environment: Mapping[str, str]) -> str:
    """The run that started this job, which gives its id as JOB_NAME; Jenkins means something else by it."""
    name = environment.get("JOB_NAME", "")
    return name if _TRACKED.fullmatch(name) else ""
