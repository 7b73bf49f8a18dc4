"""The name of a test: pytest's nodeid from what JUnit XML keeps of it, and the way back."""

from __future__ import annotations

import re
from functools import lru_cache

_TEXT_FILES = {"txt", "rst", "md", "yaml", "yml", "json", "toml", "ipynb", "feature", "robot", "cfg", "sh"}
_STAMP = re.compile(r"-\d{14}$", re.ASCII)  # unittest-xml-reporting ends its suites with the time
_BUILT = (".dll", ".exe", ".xml", ".csproj", ".dist", ".jar", ".so", ".dylib")


def junit_key(nodeid: str) -> str:
    """Return `classname::name` as pytest writes the test `nodeid` into JUnit XML.

    >>> junit_key("tests/test_models.py::TestUser::test_name[a::b]")
    'tests.test_models.TestUser::test_name[a::b]'
    """
    address, bracket, parameters = nodeid.partition("[")
    path, *rest = address.split("::")
    path = path.replace("/", ".").removesuffix(".py")
    if not rest:
        return path + bracket + parameters
    return f"{'.'.join([path, *rest[:-1]])}::{rest[-1]}{bracket}{parameters}"


def pytest_nodeid(classname: str, name: str, file: str = "") -> tuple[str, bool]:
    """Return the nodeid of pytest's `<testcase>` and whether it could be told.

    With `file` (junit_family=xunit1) it is exact.  Without, the modules and the classes in `classname`
    are told apart by the convention that classes begin with a capital letter.

    >>> pytest_nodeid("tests.test_models.TestUser", "test_name[1]")
    ('tests/test_models.py::TestUser::test_name[1]', True)
    >>> pytest_nodeid("Models.TestUser", "test_name")
    ('Models.TestUser::test_name', False)
    """
    if not classname:  # a module that could not be collected
        path = file.replace("\\", "/")
        return (path, True) if path else (_as_path(name.split(".")), "." in name)
    prefix, is_placed = _place(classname, file)
    return f"{prefix}::{name}", is_placed


@lru_cache(maxsize=1024)  # the tests of a class come one after another
def _place(classname: str, file: str) -> tuple[str, bool]:
    """Return what stands before a test's name: path and classes."""
    file = file.replace("\\", "/")
    module = file.replace("/", ".").removesuffix(".py")
    if file and (classname == module or classname.startswith(f"{module}.")):
        classes = classname[len(module) + 1 :]
        return "::".join([file, *(classes.split(".") if classes else [])]), True
    parts = classname.split(".")  # inherited tests: `file` is the one of the base class
    modules = len(parts)
    while modules and _is_class(parts[modules - 1]):
        modules -= 1
    if not modules or not all(parts):
        return classname, False
    return "::".join([_as_path(parts[:modules]), *parts[modules:]]), True


def _is_class(part: str) -> bool:
    return part.lstrip("_")[:1].isupper() or part.startswith(("Test", "describe_"))


def _as_path(parts: list[str]) -> str:
    if len(parts) > 1 and parts[-1] in _TEXT_FILES:
        return f"{'/'.join(parts[:-1])}.{parts[-1]}"
    return f"{'/'.join(parts)}.py"


def suite_of(names: list[str], classname: str) -> str:
    """Return what the names of the enclosing suites add to the identity of a test.

    Names that the class repeats add nothing; paths of built files and stamps of time differ between
    machines and runs, so only what stays the same is kept.

    >>> suite_of(["/home/ci/shop/phpunit.xml", "Unit", "CartTest"], "CartTest")
    'phpunit.xml > Unit'
    """
    kept: list[str] = []
    for name in names:
        name = _STAMP.sub("", name.strip())
        if name[:1] in "/\\" or name[1:3] in (":\\", ":/"):
            last = re.split(r"[/\\]", name)[-1]
            name = last if last.lower().endswith(_BUILT) else name
        if not name or (classname and (classname.startswith(name) or name.startswith(classname))):
            continue
        if name not in kept[-1:]:
            kept.append(name)
    return " > ".join(kept)


def case_name(classname: str, name: str) -> str:
    """Return a readable name of a test of any runner.

    >>> case_name("com.shop.CartTest", "adds"), case_name("adds", "adds")
    ('com.shop.CartTest::adds', 'adds')
    """
    classname, name = classname.strip(), name.strip()
    return f"{classname}::{name}" if classname and classname != name else name
