"""pytest's nodeid and what JUnit XML keeps of it meet again."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.reports import names, reading, values
from executions.reports.names import junit_key, pytest_nodeid


@pytest.mark.parametrize("module", [names, reading, values])
def test_the_examples_in_the_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0


def modules():
    folder = st.sampled_from(["tests", "unit", "Unit", "test_shop", "a1"])
    module = st.sampled_from(["test_cart", "cart_test", "tests", "conftest"])
    return st.tuples(st.lists(folder, max_size=3), module).map(
        lambda parts: "/".join([*parts[0], parts[1]]) + ".py"
    )


CLASSES = st.lists(st.sampled_from(["TestCart", "Inner", "IDNATests", "_Base"]), max_size=3)
NAMES = st.sampled_from(["test_a", "test_a[x::y]", "test_a[a/b.c]", "test_a[[]", "test_a[\\xe9-0]"])


@given(modules(), CLASSES, NAMES)
def test_a_nodeid_comes_back_from_what_pytest_writes(path, classes, name):
    nodeid = "::".join([path, *classes, name])
    classname, _, rest = junit_key(nodeid).partition("::")

    assert rest == name
    assert pytest_nodeid(classname, name, path) == (nodeid, True)
    assert pytest_nodeid(classname, name) == (nodeid, True)


@pytest.mark.parametrize(
    ("classname", "name", "file", "nodeid", "is_placed"),
    [
        ("", "tests.test_bad", "", "tests/test_bad.py", True),
        ("", "tests.test_bad", "tests/test_bad.py", "tests/test_bad.py", True),
        ("docs.guide.txt", "guide.txt", "", "docs/guide.txt::guide.txt", True),
        ("shop.cart", "shop.cart.Cart.add", "", "shop/cart.py::shop.cart.Cart.add", True),
        ("tests.test_a.TestA", "test_x", "lib/base.py", "tests/test_a.py::TestA::test_x", True),
        ("tests.test_a.describe_cart", "adds", "", "tests/test_a.py::describe_cart::adds", True),
        ("tests.test_a.Odd", "test_x", "tests\\test_a.py", "tests/test_a.py::Odd::test_x", True),
        ("tests.Helpers.lower", "test_x", "tests/Helpers.py", "tests/Helpers.py::lower::test_x", True),
        ("Tests.TestA", "test_x", "", "Tests.TestA::test_x", False),
        ("..TestA", "test_x", "", "..TestA::test_x", False),
    ],
)
def test_what_can_not_be_told_is_not_placed(classname, name, file, nodeid, is_placed):
    assert pytest_nodeid(classname, name, file) == (nodeid, is_placed)


@given(st.text(max_size=3000), st.text(max_size=3000))
def test_short_names_are_short_clean_and_as_different_as_the_long_ones(first, second):
    short = [values.short_name(text, 100) for text in (first, second)]

    assert all(len(text.encode("utf-8")) <= 100 and "\0" not in text for text in short)
    if first != second and all("\\" not in text for text in (first, second)):
        assert short[0] != short[1]
