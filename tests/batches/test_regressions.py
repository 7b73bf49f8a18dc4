"""Newly failing and slower tests, with and without the guards."""

from batches.regressions import Rule, compare


def result(**tests):
    rows = [{"name": name, "outcome": outcome, "seconds": s} for name, (outcome, s) in tests.items()]
    return {"tests": rows, "modules": []}


BASE = result(a=("passed", 1.0), b=("failed", 1.0), tiny=("passed", 0.003))


def test_only_what_passed_before_is_a_new_failure():
    found = compare(result(a=("failed", 1.0), b=("failed", 1.0), new=("failed", 1.0)), BASE)

    assert [row["test_name"] for row in found["new_failures"]] == ["a"]


def test_a_slowdown_counts_when_the_rerun_shows_it_again():
    now = result(a=("passed", 2.0), tiny=("passed", 0.03))

    sure = compare(now, BASE, rerun=lambda names: dict.fromkeys(names, 2.1))
    unsure = compare(now, BASE, rerun=lambda names: dict.fromkeys(names, 1.0))

    assert [row["test_name"] for row in sure["performance_degradations"]] == ["a"]
    assert [row["test_name"] for row in sure["unconfirmed"]] == ["tiny"]
    assert not unsure["performance_degradations"]


def test_a_test_that_usually_takes_that_long_is_no_slower():
    earlier = [result(a=("passed", 1.9))] * 5

    found = compare(
        result(a=("passed", 2.0)), BASE, earlier=earlier, rerun=lambda names: dict.fromkeys(names, 2.0)
    )

    assert not found["performance_degradations"]


def test_the_plain_rule_is_half_as_much_again():
    found = compare(result(a=("passed", 1.4), tiny=("passed", 0.01)), BASE, rule=Rule(is_plain=True))

    assert [row["test_name"] for row in found["performance_degradations"]] == ["tiny"]


def test_what_can_not_be_read_any_more_is_a_new_failure_of_the_tests_it_held():
    base = result(**{"t.py::a": ("passed", 1.0), "m.T::b": ("passed", 1.0), "o.py::c": ("failed", 1.0)})
    now = {"t.py": ("error", 0.0), "m::(collection)": ("error", 0.0), "o.py": ("error", 0.0)}

    found = compare(result(**now, **{"new.py": ("error", 0.0), "t.py::z": ("failed", 0.0)}), base)

    assert [row["test_name"] for row in found["new_failures"]] == ["t.py", "m::(collection)"]
    set_up = compare(result(**{"m.T::(setUpClass)": ("error", 0.0)}), base)
    assert [row["test_name"] for row in set_up["new_failures"]] == ["m.T::(setUpClass)"]
