"""TRX and NUnit: what went wrong outside of any test, and results within results."""

import pytest

from executions.reports.values import parse_seconds
from tests.executions.reports.reading import outcomes, read_all

TRX = (
    '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>{results}</Results>'
    '<ResultSummary outcome="{summary}"><RunInfos>{info}</RunInfos></ResultSummary></TestRun>'
)
PASSED = (
    '<UnitTestResult testName="Cart.Adds" outcome="Passed" duration="00:00:00.5">{inner}</UnitTestResult>'
)


@pytest.mark.parametrize(
    ("summary", "info", "number", "said"),
    [
        ("Completed", "", 0, []),
        ("Failed", "", 0, []),
        ("Completed", '<RunInfo outcome="Warning"><Text>old adapter</Text></RunInfo>', 0, []),
        (
            "Failed",
            '<RunInfo outcome="Error"><Text>The test host crashed</Text></RunInfo>',
            1,
            ["An error of the run belongs to no test: The test host crashed"],
        ),
        ("Aborted", "", 1, ["The run itself ended as Aborted."]),
    ],
)
def test_a_host_that_crashed_is_an_error_of_the_run(summary, info, number, said):
    facts, rows = read_all(TRX.format(results=PASSED.format(inner=""), summary=summary, info=info))

    assert outcomes(rows) == [("Cart.Adds", "passed", 1)]
    assert (facts.failures_outside_cases, facts.problems) == (number, said)


def test_rows_of_a_data_driven_test_are_part_of_it_and_that_is_said():
    inner = f"<InnerResults>{PASSED.format(inner='') * 2}</InnerResults>"

    facts, rows = read_all(TRX.format(results=PASSED.format(inner=inner), summary="Completed", info=""))

    assert (len(rows), facts.total) == (1, 1)
    assert facts.problems == ["2 results stand within those of other tests and are counted with those."]


@pytest.mark.parametrize(
    ("site", "number"), [("TearDown", 1), ("SetUp", 1), ("Child", 0), ("Parent", 0), ("Test", 0)]
)
def test_a_fixture_of_nunit_that_could_not_be_torn_down_is_an_error_of_the_run(site, number):
    report = (
        '<test-run><test-suite type="TestFixture" name="Cart" fullname="Shop.Cart" result="Failed" site="{}">'
        "<failure><message>TearDown : no disk</message></failure>"
        '<test-case name="Adds" fullname="Shop.Cart.Adds" result="Passed"/></test-suite></test-run>'
    )

    facts, rows = read_all(report.format(site))

    assert [row.outcome for row in rows] == ["passed"]
    assert facts.failures_outside_cases == number
    assert facts.problems == ["A failure of 'Shop.Cart' belongs to no test: TearDown : no disk"][:number]


@pytest.mark.parametrize(("text", "seconds"), [("0,016", 0.016), ("00,125", 0.125), ("12,345", 12345.0)])
def test_no_thousand_begins_with_a_nought(text, seconds):
    assert parse_seconds(text) == seconds
