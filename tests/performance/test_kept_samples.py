"""Samples are kept where the artifacts lie, on a disk or in a bucket."""

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto import mock_aws
from storages.backends.s3 import S3Storage

from performance.collecting import keep_samples
from performance.models import WorkloadRun
from performance.samples import NoSamples, load_samples
from tests.performance.factories import make_samples, make_workload_run


@pytest.mark.django_db
def test_samples_lie_in_a_bucket_where_one_is_named():
    run = make_workload_run(latencies=[0.01] * 50, keep=False)
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="pkg-artifacts")
        bucket = S3Storage(bucket_name="pkg-artifacts", region_name="us-east-1", file_overwrite=True)

        keep_samples(run, make_samples([0.03] * 70), bucket)
        keep_samples(run, make_samples([0.03] * 60), bucket)  # done again, it replaces

        assert len(load_samples(run, bucket).rows) == 60
        run.samples = "workloads/gone.npz"
        with pytest.raises(NoSamples, match=r"gone\.npz can't be read"):
            load_samples(run, bucket)


@pytest.mark.django_db
def test_a_run_without_samples_says_so():
    run = make_workload_run(latencies=[0.01] * 50)
    storages["artifacts"].delete(run.samples)
    storages["artifacts"].save("workloads/other", ContentFile(b"x"))

    with pytest.raises(NoSamples, match="can't be read"):
        load_samples(run, storages["artifacts"])
    with pytest.raises(NoSamples, match="No samples were kept"):
        load_samples(WorkloadRun(), storages["artifacts"])
