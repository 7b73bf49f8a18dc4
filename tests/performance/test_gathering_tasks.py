import socket

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import timezone

from performance import sources, tasks
from performance.models import Gathering, MetricQuery, MetricSeries
from performance.sources.host_samples import RECORD
from tests.factories import make_ended_run
from tests.performance.factories import make_workload_run
from tests.performance.test_bottlenecks import samples_of
from tracking.models import WorkflowJob

ENDED_AGO = timezone.timedelta(minutes=20)


@pytest.fixture
def here(db, settings, tmp_path):
    """A machine whose record says that its CPU was half busy, and a run on it."""
    settings.METRIC_SOURCES = {
        "host": {"BACKEND": "performance.sources.host.Host", "OPTIONS": {"folder": tmp_path}},
        "prometheus": {"BACKEND": "performance.sources.prometheus.Prometheus", "OPTIONS": {"url": ""}},
    }
    sources.connect.cache_clear()
    run = make_ended_run(started_at=timezone.now() - ENDED_AGO)
    WorkflowJob.objects.update(runner_name=socket.gethostname())
    samples = np.full(120, np.nan, RECORD)
    samples["at"], samples["cpu"] = run.started_at.timestamp() + np.arange(120), 0.5
    for hour in set((samples["at"] // 3600).astype(int)):
        (tmp_path / f"{hour}.bin").write_bytes(samples[samples["at"] // 3600 == hour].tobytes())
    yield run
    sources.connect.cache_clear()


def test_a_run_on_this_machine_gets_its_series(here):
    assert tasks.gather_of_run(str(here.pk))

    row = MetricSeries.objects.get(run=here, name="CPU")
    assert (row.source, row.unit, row.saturated_at) == ("host", "share", 0.95)
    assert row.n > 50
    assert Gathering.objects.get().again_at is None
    assert MetricSeries.objects.get(run=here, name="disk").problem == "It has no values of that time."


def test_a_source_without_its_setting_says_which(here):
    MetricQuery.objects.create(project=here.project, source="prometheus", name="busy", query="up")

    tasks.gather_of_run(str(here.pk))

    assert "PROMETHEUS_URL" in MetricSeries.objects.get(source="prometheus").problem


def test_the_sweep_asks_for_each_run_once_at_a_time(here):
    cache.delete(f"gathering:{here.pk}")

    assert tasks.sweep_series() == 1
    assert cache.get(f"gathering:{here.pk}")
    tasks.gather_of_run(str(here.pk))

    assert cache.get(f"gathering:{here.pk}") is None
    assert tasks.sweep_series() == 0


def test_new_series_of_a_load_make_its_bottlenecks_be_looked_for_again(here):
    run = make_workload_run(samples=samples_of(0.06))
    assert run.analyzed_at is None

    tasks.gather_of_run(str(run.pk))

    run.refresh_from_db()
    assert run.analyzed_at
    assert run.bottlenecks.get().name == "database"


def test_a_run_that_goes_on_is_left_alone(here):
    assert not tasks.gather_of_run(str(make_workload_run(status="running").pk))
