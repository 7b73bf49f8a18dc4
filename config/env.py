"""What differs between machines, read from the environment.

Every reader names the variable in its error, because a wrong value stops the start
and the one who set it must know which one it was.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """Return the variable, or `default` where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int, *, minimum: int = 0) -> int:
    """Return the variable as a whole number of at least `minimum`."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}.")
    return value


def flag(name: str, default: bool) -> bool:
    """Return the variable as yes or no: 1, true, yes, on / 0, false, no, off."""
    raw = text(name, "1" if default else "0").lower()
    if raw in _TRUE:
        return True
    if raw in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0 (or true, false, yes, no, on, off), not {raw!r}.")


def words(name: str, default: list[str]) -> list[str]:
    """Return the variable as a list, split at commas."""
    raw = text(name)
    return [word.strip() for word in raw.split(",") if word.strip()] if raw else default


def one_of(name: str, default: str, choices: list[str]) -> str:
    """Return the variable if it is one of `choices`."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def url(name: str, default: str) -> str:
    """Return the variable as an http(s) address without a slash at its end."""
    value = text(name, default).rstrip("/")
    if not value.startswith(("http://", "https://")) or len(value) < len("http://a"):
        raise ImproperlyConfigured(f"{name} must begin with https:// (or http://), not {value!r}.")
    return value


def folder(name: str, default: Path) -> Path:
    """Return the variable as an absolute path of a folder; a new one is for its owner only.

    What lies in it (sessions, inputs of jobs, their output) is nobody else's on this machine.
    """
    path = Path(text(name, str(default))).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(f"{name}: the folder {path} can't be made: {problem.strerror}.") from None
    return path


def secret(name: str) -> str:
    """Return the variable, or the content of the file that NAME_FILE names, or an empty string."""
    path = text(f"{name}_FILE")
    if not path:
        return text(name)
    try:
        return Path(path).read_text().strip()
    except OSError as problem:
        raise ImproperlyConfigured(f"{name}_FILE: {path} can't be read: {problem.strerror}.") from None


def database(name: str, default_file: Path) -> dict[str, Any]:
    """Return Django's entry for DATABASES from a URL: sqlite:///… or postgresql://…"""
    url = secret(name)
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default_file)}
    if not url.startswith(("sqlite:", "postgres:", "postgresql:")):
        raise ImproperlyConfigured(f"{name} must begin with postgresql:// or sqlite:///.")
    try:
        entry: dict[str, Any] = environ.Env.db_url_config(url)
    except Exception:
        # The message of the parser may hold the password, so it is not passed on.
        raise ImproperlyConfigured(f"{name} can't be read as a database URL.") from None
    if not entry.get("NAME"):
        raise ImproperlyConfigured(f"{name} names no database, as in postgresql://user@host/NAME.")
    return entry


def other_database(name: str) -> dict[str, Any] | None:
    """Return Django's entry for a database named by its URL or by a SQLite file; None where none is named."""
    named = text(name)
    if not named or "://" in named:
        return database(name, Path()) if named else None
    file = Path(named).expanduser().absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}


def redis(name: str, default: str) -> str:
    """Return the URL of a Redis server: redis://, rediss:// or unix://."""
    url = secret(name) or default
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must begin with redis://, rediss:// or unix://.")
    return url
