"""The checkout's own Python environment: made once, brought up to date when its requirements change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


def use_new_enough_python() -> None:
    """Go on with a Python that is new enough, if this one is not."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(14, 10, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])
    sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} and no newer one was found.")


def ensure(*, tests: bool = False) -> Path:
    """Return the environment's Python with the pinned requirements installed (those of tests as well).

    An installation that was interrupted is repeated: the stamp is written when all of it is there.
    """
    required = ROOT / ("requirements-dev.txt" if tests else "requirements.txt")
    stamp = VENV / (".stamp-tests" if tests else ".stamp")
    wanted = hashlib.sha256(required.read_bytes() + sys.version.encode()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        name_checkout(VENV)
        return PYTHON
    pip = _make()
    print(f"Installing the packages of {required.name} (about a minute the first time) …", flush=True)
    quiet = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    done = subprocess.run([*pip, "install", *quiet, "-r", str(required)], check=False)
    if done.returncode:
        sys.exit("The packages could not be installed; see above. Run the command again when that is fixed.")
    stamp.write_text(wanted)
    name_checkout(VENV)
    return PYTHON


def name_checkout(environment: Path) -> None:
    """Let the environment's own programs find the checkout, as plain `pytest` must to load its plugin.

    An environment that several checkouts share belongs to none of them.
    """
    if environment.is_symlink():
        return
    for packages in environment.glob("lib/python3.*/site-packages"):
        place = packages / "runtrail_checkout.pth"
        if not place.exists() or place.read_text() != f"{ROOT}\n":
            place.write_text(f"{ROOT}\n")


def _make() -> list[str]:
    """Make the environment where it is missing or broken; return the command that installs into it."""
    try:
        import ensurepip  # noqa: F401

        without_pip = []
    except ImportError:  # Debian without python3-venv
        without_pip = ["--without-pip"]
    if not PYTHON.exists() or subprocess.run([str(PYTHON), "-c", ""], check=False).returncode:
        print(f"Making a Python environment in {VENV} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", *without_pip, str(VENV)], check=True)
    if without_pip:
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip"]
