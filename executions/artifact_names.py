"""Which artifacts hold test reports, and of which job each is: GitHub tells only their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VERSION = re.compile(r"(?<![a-z0-9])py(?:thon)?[-_ ]?(\d)\.?(\d+)(?![a-z0-9])")
_WORD = re.compile(r"\d+(?:\.\d+)+|[a-z0-9]+")
_MATRIX = re.compile(r"^(?P<base>.*?)\s*\((?P<values>[^()]*)\)\s*$")
_PYTHON = re.compile(r"[23]\.\d{1,2}(?:\.\d+)?")


def is_wanted(name: str, patterns: Sequence[str]) -> bool:
    """Whether an artifact of this name holds test reports; capitals don't matter."""
    return any(_expression(pattern).fullmatch(name.lower()) for pattern in patterns)


def job_of(name: str, jobs: Sequence[str], patterns: Sequence[str]) -> int | None:
    """Return which of `jobs` (their names) an artifact is of; None where its name doesn't tell.

    A single job has left it, whatever it is called.  Else the place of `{job}` in the first pattern that
    fits, or the whole name, must hold the job's name, or all values of its matrix; of several jobs the one
    of which most words are there.

    >>> job_of("results-3.12", ["test (ubuntu-latest, 3.11)", "test (ubuntu-latest, 3.12)"], [])
    >>> job_of("junit-py312-ubuntu-latest", ["test (ubuntu-latest, 3.11)", "test (ubuntu-latest, 3.12)"], [])
    1
    """
    if len(jobs) == 1:
        return 0
    told = words(_place_of_job(name, patterns) or name)
    scores = [_score(told, job) for job in jobs]
    best = max(scores, default=0)
    return scores.index(best) if best and scores.count(best) == 1 else None


def python_version(job: str) -> str:
    """Return the Python that a job's name tells, as in `test (ubuntu-latest, 3.11)`; else nothing."""
    return next((word for word in words(job) if _PYTHON.fullmatch(word)), "")


def words(text: str) -> list[str]:
    """The words of a name, small; `py311`, `python-3.11` and `3.11` are one word.

    >>> words("Test (ubuntu-latest, py3.11)")
    ['test', 'ubuntu', 'latest', '3.11']
    """
    return _WORD.findall(_VERSION.sub(r" \1.\2 ", text.lower()))


def _score(told: list[str], job: str) -> int:
    """How many words of the job are there; 0 where what tells it apart is missing."""
    found = _MATRIX.match(job)
    base = words(found["base"] if found else job)
    last = words((found["base"] if found else job).rsplit("/", 1)[-1])
    named = len(base) if _holds(told, base) else len(last) if _holds(told, last) else 0
    if found is None:
        return named
    values = [words(value) for value in found["values"].split(",")]
    if not all(_holds(told, value) for value in values):
        return 0
    return named + sum(map(len, values))


def _holds(told: list[str], part: list[str]) -> bool:
    size = len(part)
    return size > 0 and any(told[at : at + size] == part for at in range(len(told) - size + 1))


def _place_of_job(name: str, patterns: Sequence[str]) -> str:
    for pattern in patterns:
        found = _expression(pattern).fullmatch(name.lower()) if "{job}" in pattern else None
        if found:
            return found["job"]
    return ""


def _expression(pattern: str) -> re.Pattern[str]:
    """`*` is anything, `?` one letter, `{job}` the job; every other sign is itself."""
    signs = {"*": ".*", "?": ".", "{job}": "(?P<job>.+)"}
    pieces = re.split(r"(\*|\?|\{job\})", pattern.lower())
    return re.compile("".join(signs.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)
