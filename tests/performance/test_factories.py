"""The made-up runs of other tests are real ones: counted, kept and closed by the product itself."""

import numpy as np
import pytest
from django.core.files.storage import storages

from performance.models import WorkloadRun
from performance.samples import load_samples
from tests.performance.factories import make_samples, make_workload, make_workload_run

pytestmark = pytest.mark.django_db


def test_a_made_up_run_has_its_figures_series_and_samples():
    run = make_workload_run(latencies=np.full(400, 0.02), commit_sha="a" * 40)

    latency = run.metrics.get(name="latency", request="")
    samples = load_samples(run, storages["artifacts"])

    assert latency.n == 400
    assert latency.p50 == pytest.approx(0.02)
    assert len(samples.rows) == 400
    assert run.run.status == "passed"
    assert run.run.metric_series.filter(source="samples", name="p95").exists()
    assert list(WorkloadRun.objects.judged()) == [run]


def test_a_made_up_run_may_have_components_errors_and_a_warm_up():
    workload = make_workload(spec={"requests": [{"name": "a"}, {"name": "b"}], "users": 2, "duration": 5})
    samples = make_samples(
        [0.1] * 100,
        names=["a", "b"],
        requests=[0, 1] * 50,
        failed=[True] + [False] * 99,
        warmup=0.5,
        components={"db": 0.08, "cache": 0.01},
    )

    run = make_workload_run(workload, samples=samples, status="failed")

    assert (run.requests, run.errors) == (75, 0)  # the failed one was in the warm-up
    assert run.metrics.get(name="component_share:db").value == pytest.approx(0.8)
    assert run.metrics.filter(name="latency").count() == 3
