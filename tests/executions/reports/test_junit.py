"""JUnit XML as different runners write it."""

import pytest

from executions.reports.base import UnreadableReport
from tests.executions.reports.reading import junit, outcomes, read_all

SIZE = junit('<testcase name="größe"/>')


@pytest.mark.parametrize(
    ("inside", "attributes", "outcome"),
    [
        ("", "", "passed"),
        ('<failure message="no"/>', "", "failed"),
        ("<error/>", "", "error"),
        ("<skipped/>", "", "skipped"),
        ('<skipped type="pytest.xfail" message="known"/>', "", "xfailed"),
        ("<failure/><error/>", "", "error"),
        ("<skipped/><failure/>", "", "failed"),
        ("", 'status="disabled"', "skipped"),
        ("", 'status="notrun" result="suppressed"', "skipped"),
        ("", 'status="run" result="skipped"', "skipped"),
        ("", 'status="failed"', "failed"),
        ("", 'status="ERROR"', "error"),
        ("", 'status="broken"', "error"),
        ("", 'result="errored"', "error"),
        ("", 'status="timeout"', "error"),
        ("<failure/>", 'status="disabled"', "failed"),
        ("", 'status="run" result="completed"', "passed"),
    ],
)
def test_a_case_has_one_outcome(inside, attributes, outcome):
    facts, rows = read_all(junit(f'<testcase classname="a" name="b" {attributes}>{inside}</testcase>'))

    assert [row.outcome for row in rows] == [outcome]
    assert facts.cases == {outcome: 1}


def test_several_results_of_one_case_are_one_case_with_all_their_texts():
    _, rows = read_all(
        junit(
            '<testcase name="b"><failure message="one">1</failure>'
            '<failure message="two">2</failure></testcase>'
        )
    )

    assert [(row.message, row.details) for row in rows] == [("one", "1\n\n2")]


def test_a_flaky_failure_of_surefire_is_a_try_before_the_one_that_passed():
    case = """<testcase classname="CartTest" name="adds" time="0.5">
        <flakyFailure message="no" type="E"><stackTrace>at Cart</stackTrace>
        <system-out>o1</system-out></flakyFailure>
        <flakyError message="worse"><stackTrace>at Cart2</stackTrace></flakyError></testcase>"""

    facts, rows = read_all(junit(case))

    assert outcomes(rows) == [
        ("CartTest::adds", "failed", 1),
        ("CartTest::adds", "error", 2),
        ("CartTest::adds", "passed", 3),
    ]
    assert [row.is_final for row in rows] == [False, False, True]
    assert (rows[0].message, rows[0].details, rows[0].stdout) == ("no", "at Cart", "o1")
    assert rows[2].duration == 0.5
    assert (facts.total, facts.attempts, facts.retried) == (1, 3, 1)


def test_a_rerun_failure_of_surefire_stands_after_the_first_failure():
    case = """<testcase classname="CartTest" name="adds"><failure message="first">a</failure>
        <rerunFailure message="second"><stackTrace>b</stackTrace></rerunFailure></testcase>"""

    facts, rows = read_all(junit(case))

    assert [(row.attempt, row.outcome, row.is_final, row.message) for row in rows] == [
        (1, "failed", False, "first"),
        (2, "failed", True, "second"),
    ]
    assert facts.elements == {"failed": 1}


def test_a_name_reported_twice_is_one_test_with_the_worst_outcome():
    twice = (
        '<testcase name="a"/><testcase name="a"><failure/></testcase><testcase name="a"><skipped/></testcase>'
    )

    facts, rows = read_all(junit(twice))

    assert [(row.is_final, row.is_duplicate) for row in rows] == [(True, False), (True, True), (True, True)]
    assert facts.cases == {"failed": 1}
    assert (facts.elements.total(), facts.duplicates, facts.attempts) == (3, 2, 3)


def test_cases_without_a_name_stay_apart_and_are_counted_as_unplaced():
    facts, rows = read_all(junit("<testcase/><testcase classname='A'/><testcase/>"))

    assert [row.nodeid for row in rows] == ["shop #1", "A #2", "shop #3"]
    assert (facts.unplaced, facts.total) == (3, 3)


@pytest.mark.parametrize(
    ("suite", "classname", "identity"),
    [
        ("com.shop.CartTest", "com.shop.CartTest", ("", "com.shop.CartTest::adds")),
        ("com.shop", "com.shop.CartTest", ("", "com.shop.CartTest::adds")),
        ("CartTest-20261120204114", "CartTest", ("", "CartTest::adds")),
        ("github.com/shop/cart", "cart", ("github.com/shop/cart", "cart::adds")),
        ("C:\\build\\7\\Shop.Tests.dll", "", ("Shop.Tests.dll", "adds")),
        ("browser tests", "", ("browser tests", "adds")),
        ("x", "adds", ("x", "adds")),
    ],
)
def test_the_identity_has_what_tells_tests_apart_and_stays_the_same(suite, classname, identity):
    _, rows = read_all(junit(f'<testcase classname="{classname}" name="adds"/>', suite=suite))

    assert [(row.suite, row.nodeid) for row in rows] == [identity]


def test_equal_names_in_two_nested_suites_are_two_tests():
    nested = '<testsuite name="linux"><testsuite name="s"><testcase name="a"/></testsuite></testsuite>'
    other = nested.replace("linux", "windows")

    facts, rows = read_all(f"<testsuites>{nested}{other}</testsuites>")

    assert [row.suite for row in rows] == ["linux > s", "windows > s"]
    assert facts.total == 2


def test_a_failure_of_a_suite_is_said_and_is_no_test():
    facts, _ = read_all(junit('<testcase name="a"/><error message="set-up broke"/>'))

    assert facts.cases == {"passed": 1}
    assert facts.failures_outside_cases == 1
    assert facts.problems == ["An error of 'shop' belongs to no test: set-up broke"]


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("1,234.5", 1234.5), ("0,75", 0.75), ("1,234", 1234.0), ("-3", None), ("1e3", 1000.0), ("٣", None)],
)
def test_times_are_read_as_their_producers_mean_them(time, seconds):
    facts, rows = read_all(junit(f'<testcase name="a" time="{time}"/>'))

    assert rows[0].duration == seconds
    assert bool(facts.problems) == (seconds is None)


def test_namespaces_and_comments_change_nothing():
    case = '<j:testcase name="a"><j:failure/></j:testcase>'
    text = f'<!-- x --><j:testsuite xmlns:j="u" name="s">{case}</j:testsuite>'

    assert read_all(text)[0].cases == {"failed": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "windows-1252", "iso-8859-1", "utf-32"])
def test_encodings_are_understood(encoding):
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>{SIZE}'

    assert read_all(text.encode(encoding))[1][0].nodeid == "größe"


def test_a_declaration_of_utf_16_in_plain_bytes_is_not_believed():
    text = f'<?xml version="1.0" encoding="utf-16"?>{SIZE}'

    assert read_all(text.encode())[1][0].nodeid == "größe"


def test_what_a_file_says_of_itself_is_kept():
    text = junit(
        '<testcase name="a"/>', tests="3", failures="0", timestamp="2026-01-04T09:30:00", hostname="ci-7"
    )

    facts, _ = read_all(text)

    assert facts.declared == {"tests": 3.0, "failures": 0.0}
    assert facts.started_at.isoformat() == "2026-01-04T09:30:00+00:00"
    assert facts.metadata == {"host": "ci-7"}
    assert facts.problems == ["The report declares 3 tests and lists 1; what it lists is kept."]


def test_output_of_a_case_is_kept_and_that_of_its_suite_is_not():
    case = '<testcase name="a"><system-out>mine</system-out><system-err>err</system-err></testcase>'

    _, rows = read_all(junit(case, "<system-out>suite</system-out>"))

    assert (rows[0].stdout, rows[0].stderr) == ("mine", "err")


def test_a_long_text_keeps_its_beginning_and_its_end_and_says_what_is_missing():
    text = "begin" + "x" * 100_000 + "the end"

    _, rows = read_all(junit(f'<testcase name="a"><failure>{text}</failure></testcase>'))

    assert rows[0].details.startswith("begin")
    assert rows[0].details.endswith("the end")
    assert "characters left out" in rows[0].details
    assert len(rows[0].details) < 20_100


@pytest.mark.parametrize("text", ["<testsuite/><testsuite/>", "<testsuite>", "<testsuite></testsuites>"])
def test_damaged_xml_says_where(text):
    with pytest.raises(UnreadableReport, match=r"line 1, column \d+"):
        read_all(text)


NODE = """<testsuites>
<testcase name="ok" classname="test" time="0.1"/>
<testcase name="later" classname="test"><skipped type="todo" message="true"/><failure message="x"/></testcase>
<testcase name="later too" classname="test"><skipped type="todo" message="true"/></testcase>
<testsuite name="suite" tests="1"><testcase name="in" classname="test"/></testsuite>
</testsuites>"""


def test_what_is_still_to_do_may_fail_and_cases_beside_suites_are_no_contradiction():
    facts, rows = read_all(NODE)

    assert [(row.nodeid, row.outcome) for row in rows] == [
        ("test::ok", "passed"),
        ("test::later", "xfailed"),
        ("test::later too", "skipped"),
        ("test::in", "passed"),
    ]
    assert facts.problems == []


def test_the_projects_of_playwright_run_tests_of_their_own():
    def of(browser, inside=""):
        return (
            f'<testsuite name="cart.spec.ts" timestamp="2026-01-04T09:30:00Z" hostname="{browser}" tests="1"'
            f' failures="{int(bool(inside))}" skipped="0" time="0.1" errors="0">'
            f'<testcase name="adds" classname="cart.spec.ts" time="0.1">{inside}</testcase></testsuite>'
        )

    head = '<testsuites id="" name="" tests="3" failures="1" skipped="0" errors="0" time="0.3">'
    suites = of("") + of("chromium") + of("firefox", "<failure/>")
    facts, rows = read_all(f"{head}{suites}</testsuites>")

    assert [(row.suite, row.nodeid, row.outcome) for row in rows] == [
        ("", "cart.spec.ts::adds", "passed"),
        ("[chromium]", "cart.spec.ts::adds", "passed"),
        ("[firefox]", "cart.spec.ts::adds", "failed"),
    ]
    assert (facts.producer, facts.total, facts.metadata) == ("playwright", 3, {})
