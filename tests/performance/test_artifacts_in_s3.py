"""Artifacts in a bucket: moto's server on loopback, and the product as a process that knows its address."""

import json
import os
import subprocess
import sys

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.command_line import have_database
from tests.demo.conftest import ROOT

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-central-1",
    "ARTIFACTS_BUCKET": "artifacts",
}
PROGRAM = """
import json, sys
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from performance.collecting import keep_samples
from performance.samples import load_samples
from tests.performance.factories import make_samples, make_workload, make_workload_run

storage, samples = storages["artifacts"], make_samples([0.01, 0.02, 0.5], components={"database": 0.004})
run = make_workload_run(workload=make_workload("cart"))
keep_samples(run, samples, storage)
keep_samples(run, samples, storage)
read = load_samples(run, storage)
storage.save("runs/2026/archive.json", ContentFile(b"{}"))
with storage.open("runs/2026/archive.json") as archive:
    kept = archive.read().decode()
print(json.dumps({
    "wanted": f"workloads/{run.run.project.slug}/cart/{run.run.test_run_id}.npz", "bytes": run.samples_bytes,
    "latency": read.rows["latency"].tolist(),
    "database": read.parts["duration"].tolist(), "archive": kept,
}))
"""


@pytest.fixture(scope="module")
def bucket():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-central-1"}
    client = boto3.client("s3", endpoint_url=address, **keys)
    client.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client, address
    server.stop()


def test_samples_and_archives_are_written_into_the_bucket_and_read_back(bucket, tmp_path):
    client, address = bucket
    have_database(tmp_path / "data")
    variables = {
        **os.environ,
        **KEYS,
        "AWS_ENDPOINT_URL": address,
        "RUNTRAIL_DATA": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    variables.pop("DATABASE_URL", None)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=variables, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["latency"] == pytest.approx([0.01, 0.02, 0.5])
    assert told["database"] == pytest.approx([0.004] * 3)
    assert told["archive"] == "{}"
    keys = {one["Key"]: one["Size"] for one in client.list_objects_v2(Bucket="artifacts")["Contents"]}
    assert keys == {told["wanted"]: told["bytes"], "runs/2026/archive.json": 2}
    assert not list((tmp_path / "artifacts").rglob("*.npz"))
