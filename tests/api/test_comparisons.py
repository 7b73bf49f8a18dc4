"""Runs compared over HTTP: the fixed shapes for one, and more of the same for several."""

import pytest

from tests.factories import make_definition, make_ended_run, make_workflow

pytestmark = pytest.mark.django_db
TIMES = {"base", "head", "difference", "ratio", "low", "high", "verdict"}
LISTS = {"newlyFailing", "fixed", "added", "removed", "slower", "faster"}


def run(shop, waited):
    made = make_ended_run(definition=make_definition(project=shop), workflows=0)
    for number in range(8):
        make_workflow(made, "success", queue=waited + number, execution=100)
    return made


def test_one_run_has_the_shape_that_programs_rely_on(api, shop):
    base, head = run(shop, 10), run(shop, 70)

    told = api.get("/api/v1/comparisons/", {"base": base.pk, "head": str(head)}).json()

    assert {*LISTS, "times", "answer", "shareOfQueueing", "ranking", "others"} <= told.keys()
    assert told["times"].keys() == {"queue", "setup", "execution", "total", "retries", "lostParallelism"}
    assert all(part.keys() >= TIMES for part in told["times"].values())
    assert (told["times"]["queue"]["verdict"], told["times"]["queue"]["difference"]) == ("slower", 60)
    assert (told["base"], told["head"], told["others"]) == (str(base), str(head), [])
    assert told == api.get("/api/v1/comparisons/", {"base": base.pk, "head": str(head)}).json()


def test_several_runs_are_compared_with_one_base_and_ranked(api, shop):
    base, slow, fast = run(shop, 30), run(shop, 90), run(shop, 0)

    told = api.get("/api/v1/comparisons/", {"base": str(base), "head": [str(slow), str(fast)]}).json()

    assert [row["testRunId"] for row in told["ranking"]] == [str(fast), str(base), str(slow)]
    assert [row["verdict"] for row in told["ranking"]] == ["faster", None, "slower"]
    assert told["head"] == str(slow)
    assert [one["head"] for one in told["others"]] == [str(fast)]
    assert told["others"][0].keys() >= LISTS


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({}, 400, "base"),
        ({"base": "RUN"}, 400, "head"),
        ({"base": "RUN", "head": ["RUN"] * 11}, 400, "head"),
        ({"base": "RUN", "head": "nothing"}, 404, "detail"),
        ({"base": "\0", "head": "RUN"}, 400, "detail"),
    ],
)
def test_what_is_not_there_is_named(api, shop, query, status, field):
    made = str(run(shop, 1))
    asked = {name: [one.replace("RUN", made) for one in _list(value)] for name, value in query.items()}

    answer = api.get("/api/v1/comparisons/", asked)

    assert (answer.status_code, list(answer.json())) == (status, [field])


def _list(value):
    return value if isinstance(value, list) else [value]
