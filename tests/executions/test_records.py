"""Records of scripts that can be no result."""

import pytest
from django.utils import timezone

from executions.execution_schema import ExecutionDatabase, ExecutionHistory
from tests.factories import make_project
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project("shop")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"status": "GREEN"}, "no status 'GREEN'; there are PASSED, FAILED"),
        ({"status": None}, "no status None"),
        ({"entity_id": " "}, "the name of its test"),
        ({"space": "moon"}, "no space 'moon'; there are local, ci"),
        ({"duration": -1}, "0 or more, and not -1"),
        ({"duration": "fast"}, "number of seconds"),
    ],
)
def test_a_record_that_can_be_no_result_is_refused_and_nothing_is_stored(project, wrong, reason):
    right = {
        "execution_id": "local-1",
        "entity_id": "a.py::t",
        "timestamp": timezone.now(),
        "status": "passed",
    }
    records = [ExecutionHistory(**right), ExecutionHistory(**{**right, "execution_id": "local-2", **wrong})]

    with pytest.raises(ValueError, match=reason):
        ExecutionDatabase(project="shop").insert_execution_histories(records)

    assert not TestRun.objects.exists()
