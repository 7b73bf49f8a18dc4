from datetime import UTC, datetime, timedelta

import boto3
import botocore.exceptions
import numpy as np
import pytest
from moto import mock_aws

from performance.sources.base import Query, SourceRefused, SourceUnavailable
from performance.sources.cloudwatch import CloudWatch, metric_stat

NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
QUERY = Query("CPU", "Shop/CPUUtilization{Service=cart}:Average", "%", 90.0)


@pytest.fixture
def source(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield CloudWatch("eu-central-1")


def put(source, minutes):
    """Give CloudWatch two values for each of `minutes`: the minute and ten more."""
    data = [
        {
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": "Service", "Value": "cart"}],
            "Timestamp": NOON + timedelta(minutes=minute, seconds=second),
            "Value": minute + second,
        }
        for minute in minutes
        for second in (5, 15)
    ]
    boto3.client("cloudwatch", region_name="eu-central-1").put_metric_data(Namespace="Shop", MetricData=data)


def test_a_series_has_a_value_a_minute_and_keeps_its_gaps(source):
    put(source, [0, 1, 2, 5])

    series = source.read(QUERY, NOON, NOON + timedelta(minutes=5), 15)

    assert (series.times - NOON.timestamp()).tolist() == [0, 60, 120, 180, 240, 300]
    np.testing.assert_array_equal(series.values, [10, 11, 12, np.nan, np.nan, 15])
    assert (series.unit, series.saturated_at) == ("%", 90.0)


def test_what_nobody_measured_is_a_series_of_gaps(source):
    assert source.read(QUERY, NOON, NOON + timedelta(minutes=5), 60).n == 0


class Client:
    """Answers with pages, or fails."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def get_metric_data(self, **asked):
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def page(minutes, token=""):
    times = [NOON + timedelta(minutes=minute) for minute in minutes]
    found = {"Timestamps": times, "Values": [float(minute) for minute in minutes]}
    return {"MetricDataResults": [found], **({"NextToken": token} if token else {})}


def test_all_pages_are_read_in_whichever_order_they_come(source):
    source.client = Client(page([3, 2], "more"), page([0, 1]))

    series = source.read(QUERY, NOON, NOON + timedelta(minutes=3), 60)

    assert series.values.tolist() == [0, 1, 2, 3]
    assert source.client.asked[1]["NextToken"] == "more"


def error(code):
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "GetMetricData")


@pytest.mark.parametrize(
    ("problem", "kind", "said"),
    [
        (error("Throttling"), SourceUnavailable, "CloudWatch answered Throttling: no"),
        (error("AccessDenied"), SourceRefused, "CloudWatch answered AccessDenied: no"),
        (botocore.exceptions.NoCredentialsError(), SourceRefused, "no AWS keys"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="x"), SourceUnavailable, "did not answer"),
    ],
)
def test_a_failure_says_whether_asking_again_may_help(source, problem, kind, said):
    source.client = Client(problem)

    with pytest.raises(kind, match=said):
        source.read(QUERY, NOON, NOON, 60)


def test_a_query_is_a_metric_of_a_namespace_with_dimensions_and_a_statistic():
    assert metric_stat("AWS/ECS/CPUUtilization{ClusterName=shop, ServiceName=cart}:p99.9") == {
        "Metric": {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [
                {"Name": "ClusterName", "Value": "shop"},
                {"Name": "ServiceName", "Value": "cart"},
            ],
        },
        "Stat": "p99.9",
    }
    assert metric_stat("Shop/Requests:Sum")["Metric"]["Dimensions"] == []


@pytest.mark.parametrize("text", ["", "CPU", "AWS/ECS/CPU", "AWS/ECS/CPU{a}:Average", "A/B{c=d:Sum"])
def test_what_is_no_query_is_refused_with_an_example(text):
    with pytest.raises(SourceRefused, match=r"Write a (CloudWatch query as AWS/ECS|dimension as)"):
        metric_stat(text)


def test_without_a_region_it_says_which_setting_names_one():
    with pytest.raises(SourceRefused, match="AWS_REGION"):
        CloudWatch("")
