"""What rests on runs can be deleted, so that retention may have them again."""

import pytest
from django.urls import reverse

from access.models import AuditEntry, User
from performance.baselines import set_baseline
from performance.models import ChangePoint, Comparison, ComparisonRun, Optimization, OptimizationRun
from tests.factories import NINE
from tests.performance.factories import make_component, make_workload_run
from tracking.retention import needed

pytestmark = pytest.mark.django_db


@pytest.fixture
def findings():
    run = make_workload_run(keep=False)
    tried = Optimization.objects.create(workload=run.workload, name="a cache")
    OptimizationRun.objects.create(optimization=tried, run=run, side="before")
    compared = Comparison.objects.create(workload=run.workload)
    component = make_component(workload=run.workload)
    ComparisonRun.objects.create(comparison=compared, component=component, round=1, run=run)
    level = {"before": 1.0, "after": 2.0, "is_worse": True, "p": 0.001}
    change = ChangePoint.objects.create(workload=run.workload, metric="latency.p95", first_run=run, **level)
    return run, [set_baseline(run, by="ada", now=NINE), tried, compared, change]


@pytest.mark.parametrize("way", ["alone", "chosen in the list"])
def test_a_finding_is_deleted_with_its_parts_and_holds_no_run_any_more(client, findings, way):
    run, rows = findings
    client.force_login(User.objects.create_superuser("curator", password="x"))
    assert needed([run.pk]) == {run.pk}

    for row in rows:
        screen = f"admin:performance_{row._meta.model_name}"
        if way == "alone":
            client.post(reverse(f"{screen}_delete", args=[row.pk]), {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
            client.post(reverse(f"{screen}_changelist"), chosen)

    assert needed([run.pk]) == set()
    assert AuditEntry.objects.filter(action__endswith=".delete", actor_name="curator").count() == 4
