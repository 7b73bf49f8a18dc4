"""Read data that somebody wrote: every fault is told with its path, not only the first."""

from __future__ import annotations

import math
from typing import Any


class Table:
    """A JSON object whose keys are asked for one by one; `end` tells of those that nobody knows.

    Faults of it and of all tables in it are lines in the one list `faults`.
    """

    def __init__(self, data: Any, path: str, faults: list[str]) -> None:
        self.path, self.faults, self.known = path, faults, set[str]()
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.fault("", f"must be a table of keys and values, not {_called(data)}")

    def fault(self, key: str, text: str) -> None:
        where = f"{self.path}.{key}".strip(".") if key else self.path
        self.faults.append(f"{where}: {text}." if where else f"{text[0].upper()}{text[1:]}.")

    def raw(self, key: str, default: Any = None) -> Any:
        """The value as it came; a missing one and null are the same."""
        self.known.add(key)
        value = self.data.get(key)
        return default if value is None else value

    def number(self, key: str, default: float | None, least: float, most: float) -> float | None:
        """A finite number from `least` to `most`."""
        value = self.raw(key)
        if value is None:
            return default
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not least <= value <= most:
            self.fault(key, f"must be a number from {least:g} to {most:,.10g}, not {_called(value)}")
            return default
        return float(value)

    def whole(self, key: str, default: int | None, least: int, most: int) -> int | None:
        """A whole number from `least` to `most`."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fault(key, f"must be a whole number from {least:,} to {most:,}, not {_called(value)}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.fault(key, f"must be true or false, not {_called(value)}")
            return default
        return value

    def text(self, key: str, default: str = "", *, most: int = 1000) -> str:
        value = self.raw(key, default)
        if not isinstance(value, str):
            self.fault(key, f"must be a text in quotes, not {_called(value)}")
            return default
        if len(value) > most:
            self.fault(key, f"must have at most {most} characters, not {len(value)}")
            return default
        return value

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.raw(key, default)
        if value not in choices:
            self.fault(key, f"must be one of {', '.join(choices)}, not {_called(value)}")
            return default
        return str(value)

    def items(self, key: str, *, most: int) -> list[Any]:
        value = self.raw(key, [])
        if not isinstance(value, list):
            self.fault(key, f"must be a list, not {_called(value)}")
            return []
        if len(value) > most:
            self.fault(key, f"must have at most {most:,} entries, not {len(value):,}")
            return []
        return value

    def numbers(self, key: str, *, least: float, most: float, at_most: int) -> list[float]:
        """A list of numbers, each from `least` to `most`."""
        found = self.items(key, most=at_most)
        each = Table(
            {str(place): value for place, value in enumerate(found)}, f"{self.path}.{key}", self.faults
        )
        return [value for place in each.data if (value := each.number(place, None, least, most)) is not None]

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts; numbers are taken as they are written."""
        value = self.raw(key, {})
        if not isinstance(value, dict):
            self.fault(key, f"must be a table of texts, not {_called(value)}")
            return {}
        for name, one in value.items():
            if isinstance(one, bool) or not isinstance(one, str | int | float):
                self.fault(f"{key}.{name}", f"must be a text, not {_called(one)}")
        return {str(name): str(one) for name, one in value.items()}

    def table(self, key: str) -> Table | None:
        value = self.raw(key)
        return None if value is None else Table(value, f"{self.path}.{key}".strip("."), self.faults)

    def end(self) -> None:
        """Tell of keys that nobody asked for."""
        for key in self.data.keys() - self.known:
            self.fault(str(key), f"is not known here; there are {', '.join(sorted(self.known))}")


def _called(value: Any) -> str:
    kinds = {dict: "a table", list: "a list", bool: str(value).lower(), type(None): "nothing"}
    return kinds.get(type(value)) or (repr(value) if len(repr(value)) < 60 else f"{repr(value)[:60]}…")
