"""Keeps secrets of the environment out of what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

MASK = "***"
SHORTEST = 6  # a shorter value is in every text
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|APIKEY|(?:^|_)(?:KEY|PWD|PASS|PAT)S?(?:_|$)"
)
_NO_SECRET = re.compile(r"(?:^|_)(?:FILE|PATH|DIR|ID|NAME|URL|URI|HOST|KEYRING|ALGORITHM)$")
_WORDS = {"true", "false", "enabled", "disabled", "default", "required", "optional", "changeme"}
_LOOKS_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])\S{12,}")
_ARGUMENT = re.compile(
    r"(--?[\w-]*(?:token|secret|password|passwd|api-?key)[\w-]*[= ]+)(\"[^\"]*\"|'[^']*'|\S+)", re.I
)


class Mask:
    """Replaces the values of secret-looking variables in texts.

    Tests and their fixtures may set more of them, so `refresh` looks again.
    """

    def __init__(self, environment: Mapping[str, str], *, more: Iterable[str] = ()) -> None:
        self._environment = environment
        self._seen: dict[str, str] = {}
        self.values: list[str] = []
        self.random: list[str] = []
        self._learn(filter(None, more))
        self.refresh()

    def refresh(self) -> None:
        """Learn the secrets that the environment has now; those known before stay known."""
        secrets = []
        for name, value in self._environment.items():
            if self._seen.get(name) != value:
                self._seen[name] = value
                if is_secret(name) and _is_long_enough(value):
                    secrets.append(value)
                elif "://" in value:
                    secrets.append(_password_of(value))
        if secrets:
            self._learn(filter(None, secrets))

    def _learn(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first, so that a secret within another leaves nothing of it behind.
        self.values = sorted(forms.union(self.values), key=len, reverse=True)
        self.random = [value for value in self.values if _LOOKS_RANDOM.fullmatch(value)]

    def text(self, text: str) -> str:
        for value in self.values:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def name(self, name: str) -> str:
        """Mask a test's name, but only what can't be an ordinary word: a name must be the same everywhere."""
        for value in self.random:
            if value in name:
                name = name.replace(value, MASK)
        return name

    def arguments(self, text: str) -> str:
        """Mask a command line, the values of options for secrets too."""
        return _ARGUMENT.sub(lambda found: found[1] + MASK, self.text(text))


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    upper = name.upper()
    return bool(_SECRET.search(upper)) and not _NO_SECRET.search(upper) and upper not in {"PWD", "OLDPWD"}


def _is_long_enough(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _WORDS


def _password_of(value: str) -> str:
    """The password in an address such as postgresql://user:password@host/name."""
    if "://" not in value or "@" not in value:
        return ""
    try:
        password = urlsplit(value).password or ""
    except ValueError:
        return ""
    return password if len(password) >= SHORTEST else ""


def _forms(secret: str) -> set[str]:
    """How a secret may stand in a text: itself, its lines, escaped, in an address."""
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= 12}
    forms = {
        secret,
        secret.strip(),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        *lines,
    }
    return {form for form in forms if len(form) >= SHORTEST}
