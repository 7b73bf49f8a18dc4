"""Who wrote a JUnit file, as far as it can be told; only pytest's names are read differently."""

from __future__ import annotations

_PYTEST_KEYS = ("name", "errors", "failures", "skipped", "tests", "time", "timestamp")  # in this order
_PLAYWRIGHT_ROOT = ("id", "name", "tests", "failures", "skipped", "errors", "time")
_PLAYWRIGHT_KEYS = ("name", "timestamp", "hostname", "tests", "failures", "skipped", "time", "errors")
_BY_ROOT = {
    "jest tests": "jest-junit",
    "mocha tests": "mocha-junit-reporter",
    "nextest-run": "cargo-nextest",
    "alltests": "gtest",
    "pytest tests": "pytest",
}
_BY_PROPERTY = {
    "go.version": "go-junit-report",
    "surefire.real.class.path": "maven-surefire",
    "java.version": "java",
}


def is_pytest(suite: dict[str, str], root: dict[str, str]) -> bool:
    """Whether pytest wrote this `<testsuite>`: by its name, or by its attributes under another name."""
    if suite.get("name") == "pytest" or root.get("name") == "pytest tests":
        return True
    return tuple(suite)[:7] == _PYTEST_KEYS and tuple(suite)[7:] in ((), ("hostname",))


def is_playwright(suite: dict[str, str], root: dict[str, str]) -> bool:
    """Whether Playwright wrote this `<testsuite>`; what is the host's name elsewhere is its project's."""
    return tuple(suite) == _PLAYWRIGHT_KEYS and tuple(root) == _PLAYWRIGHT_ROOT


def producer_of(root: dict[str, str], suite: dict[str, str]) -> str:
    if is_pytest(suite, root):
        return "pytest"
    if is_playwright(suite, root):
        return "playwright"
    if "surefire" in root.get("noNamespaceSchemaLocation", root.get("xsi:noNamespaceSchemaLocation", "")):
        return "maven-surefire"
    return _BY_ROOT.get(root.get("name", "").lower(), "")


def producer_by_property(name: str) -> str:
    return _BY_PROPERTY.get(name, "")
