"""Real inputs that other people made; they are read where they lie and never copied in here."""

from pathlib import Path

import pytest

PLACE = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def shared_folder(name: str) -> Path:
    """Return the folder of real inputs called `name`; the test is left out where the machine has none."""
    if (PLACE / name).is_dir():
        return PLACE / name
    pytest.skip(f"the real inputs of {name}/ are not on this machine")
