"""Phase 2: what was measured, by request and over time, and where it is kept."""

import os

import boto3
import numpy as np
import pytest
from moto import mock_aws
from storages.backends.s3 import S3Storage

from performance.collecting import keep_samples
from performance.samples import load_samples
from tests.performance.factories import make_samples, make_workload, make_workload_run

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@pytest.fixture(scope="session")
def metrics(api, workload, baseline_workload_run_id):
    """The figures of a run, of another one where the machine changed its pace in the middle.

    Half a run slower than the other half tells no interval, rightly; on a busy machine that happens.
    """
    run = baseline_workload_run_id
    for _ in range(3):
        found = api.get(f"performance/runs/{run}/metrics/")
        if "p50" in figure(found, "latency")["intervals"]:
            break
        run = api.measured(workload["id"], component="indexed")["testRunId"]
    return found


def figure(metrics, name, request=""):
    (found,) = [one for one in metrics["metrics"] if (one["name"], one["request"]) == (name, request)]
    return found


class TestPerformanceMetricsEndpoint:
    """The door of figures."""

    def test_metrics_endpoint_has_figures_and_series(self, metrics):
        assert {one["name"] for one in metrics["metrics"]} >= {"latency", "throughput", "error_share"}
        assert metrics["series"]

    def test_metrics_endpoint_of_an_unknown_run_is_not_found(self, api):
        assert api.ask("GET", "performance/runs/nobody_20260101_000000_abc123/metrics/").status_code == 404


class TestPerformanceMetrics:
    """What the figures say."""

    def test_percentiles_rise_and_have_intervals(self, metrics, record_property):
        latency = figure(metrics, "latency")

        assert latency["unit"] == "s"
        assert 0.03 < latency["p50"] <= latency["p90"] <= latency["p95"]
        low, high = latency["intervals"]["p50"]
        assert low <= latency["p50"] <= high
        record_property("finding", f"p50 {1000 * latency['p50']:.0f} ms, p95 {1000 * latency['p95']:.0f} ms.")

    def test_throughput_is_the_rate_that_was_asked_for(self, metrics):
        assert figure(metrics, "throughput")["value"] == pytest.approx(40, rel=0.1)

    def test_every_request_has_figures_of_its_own(self, metrics):
        counts = [figure(metrics, "latency", name)["n"] for name in ("catalog", "cart")]

        assert sum(counts) == figure(metrics, "latency")["n"] == 100

    def test_the_slower_component_is_measured_as_slower(self, api, metrics, performance_workload_run_id):
        slower = api.get(f"performance/runs/{performance_workload_run_id}/metrics/")

        gap = figure(slower, "latency")["p50"] - figure(metrics, "latency")["p50"]
        assert gap > 0.05, "its database takes 60 ms longer"

    def test_the_target_told_the_share_of_its_parts(self, metrics):
        assert figure(metrics, "component:rendering")["p50"] >= 0.03

    def test_series_are_aligned_to_the_run(self, metrics):
        (p95,) = [one for one in metrics["series"] if (one["source"], one["name"]) == ("samples", "p95")]

        assert len(p95["times"]) == len(p95["values"]) == p95["n"]
        assert p95["times"] == sorted(p95["times"])


@pytest.fixture
def artifacts_bucket(monkeypatch):
    """A bucket: an imitated one, or with SKIP_AWS_TESTS=false the one that ARTIFACTS_BUCKET names."""
    bucket = os.environ.get("ARTIFACTS_BUCKET", "")
    region = os.environ.get("AWS_REGION", "us-east-1")
    if bucket and os.environ.get("SKIP_AWS_TESTS") == "false" and boto3.Session().get_credentials():
        yield bucket, region
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="pkg-artifacts")
        yield "pkg-artifacts", "us-east-1"


class TestPerformanceArtifacts:
    """Every sample is kept, in a bucket as on a disk."""

    @pytest.mark.django_db
    def test_samples_come_back_from_the_bucket_as_they_went(self, artifacts_bucket):
        bucket, region = artifacts_bucket
        storage = S3Storage(bucket_name=bucket, region_name=region, file_overwrite=True)
        run = make_workload_run(make_workload(), latencies=[0.01] * 50)
        samples = make_samples([0.01, 0.02, 0.03])

        keep_samples(run, samples, storage)

        back = load_samples(run, storage)
        assert np.array_equal(back.rows, samples.rows)
        storage.delete(run.samples)
