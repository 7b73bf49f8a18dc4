import csv
import io
import json

import numpy as np
import pytest

from analysis import columns
from dashboards.charts.resources import resources_figure
from dashboards.resources import Resource, sentence, shown
from performance.models import MetricSeries
from tests.factories import NINE, make_ended_run

NAN = float("nan")


def keep(run, name, values, *, unit="share", full=None, source="host", problem=""):
    MetricSeries.objects.create(
        run=run,
        source=source,
        name=name,
        unit=unit,
        saturated_at=full,
        problem=problem,
        n=int(np.isfinite(values).sum()),
        times=columns.pack(np.arange(len(values)) * 10.0),
        values=columns.pack(values),
    )


@pytest.fixture
def run(project):
    run = make_ended_run()
    keep(run, "CPU", [0.5, 1.0, NAN, 0.25], full=0.95)
    keep(run, "memory in use", [2e9, 3e9], unit="bytes")
    keep(run, "queue", [], source="prometheus", problem="Prometheus did not answer: Timeout.")
    keep(run, "throughput", [5.0], source="samples", unit="1/s")
    return run


def of(name, values, unit="share", full=None):
    values = np.asarray(values, float)
    return Resource("host", name, unit, np.arange(len(values)) * 10.0, values, full, "")


def test_the_page_of_a_run_shows_how_its_machines_felt(client, viewer, run):
    page = client.get(f"/runs/{run}/").content.decode()

    assert "At the limit: CPU 33 % of the time." in page
    for text in ("25.0 %", "58.3 %", "100.0 %", "2.5 GB", "Prometheus did not answer: Timeout."):
        assert text in page, text
    assert "throughput" not in page


def test_a_run_without_series_has_no_such_part(client, viewer, project):
    assert "Machines meanwhile" not in client.get(f"/runs/{make_ended_run()}/").content.decode()


def test_every_value_can_be_had_as_csv_and_json(client, viewer, run):
    table = list(csv.DictReader(io.StringIO(b"".join(client.get(f"/runs/{run}/series/")).decode())))
    data = json.loads(b"".join(client.get(f"/runs/{run}/series/?format=json")))

    assert len(table) == len(data) == 6
    assert table[1] == {
        "at": "2026-01-04T09:00:10Z",
        "seconds": "10.0",
        "source": "host",
        "series": "CPU",
        "unit": "share",
        "value": "1.0",
    }
    assert (table[2]["value"], data[2]["value"]) == ("", None)


def test_the_table_can_be_had_too(client, viewer, run):
    data = json.loads(b"".join(client.get(f"/runs/{run}/series/?table=figures&format=json")))

    assert [row["series"] for row in data] == ["CPU", "memory in use", "queue"]
    assert (data[0]["highest"], data[0]["full_from"], data[0]["full_share"]) == (
        1,
        0.95,
        pytest.approx(1 / 3),
    )
    assert (data[2]["mean"], data[2]["problem"]) == (None, "Prometheus did not answer: Timeout.")


def test_an_unknown_format_is_refused(client, viewer, run):
    answer = client.get(f"/runs/{run}/series/?format=xml")

    assert (answer.status_code, answer.content) == (400, b"format must be one of csv, json.\n")


def test_series_of_one_unit_share_a_panel_and_gaps_stay_gaps():
    lines = [of("CPU", [0.5, NAN, 0.7]), of("memory", [1e9], "bytes"), of("core", [0.9]), of("none", [NAN])]

    figure = resources_figure(lines, NINE, None)

    by_name = {line["name"]: line for line in figure["data"]}
    assert {name: line["yaxis"] for name, line in by_name.items()} == {
        "core (host)": "y",
        "CPU (host)": "y",
        "memory (host)": "y2",
    }
    cpu = by_name["CPU (host)"]
    assert cpu["y"] == [0.5, None, 0.7]
    assert not cpu["connectgaps"]
    assert cpu["x"][1] == "2026-01-04T09:00:10.000+00:00"
    assert figure["layout"]["yaxis"]["domain"][0] > figure["layout"]["yaxis2"]["domain"][1]


def test_what_is_far_smaller_than_others_of_its_unit_gets_a_panel_of_its_own():
    lines = [of("machine", [9e9], "bytes"), of("target", [3e7], "bytes"), of("none", [0.0], "bytes")]

    figure = resources_figure(lines, NINE, None)

    assert [(line["name"], line["yaxis"]) for line in figure["data"]] == [
        ("machine (host)", "y"),
        ("target (host)", "y2"),
        ("none (host)", "y2"),
    ]
    assert figure["data"][1]["y"] == [pytest.approx(30)]
    assert figure["layout"]["yaxis2"]["title"]["text"] == "MB"


def test_a_name_that_is_markup_stays_text_in_a_hover():
    (line,) = resources_figure([of("<b>%{x}", [1.0])], NINE, None)["data"]

    assert "<b>" not in line["hovertemplate"]
    assert "%{x}<" not in line["hovertemplate"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "Nothing could be read."),
        ([of("CPU", [0.5], full=0.95)], "Nothing was at its limit."),
        (
            [of("CPU", [0.5, 1], full=0.95), of("disk", [1], full=0.9)],
            "At the limit: CPU 50 % of the time, disk 100 % of the time.",
        ),
    ],
)
def test_a_sentence_says_what_was_at_its_limit(lines, said):
    assert sentence(lines) == said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "share", "50.0 %"),
        (1.5e9, "bytes", "1.5 GB"),
        (2048.0, "bytes/s", "2.05 kB/s"),
        (0.0, "bytes", "0 B"),
        (0.25, "s", "250 ms"),
        (3.0, "cores", "3 cores"),
        (7.0, "", "7"),
    ],
)
def test_values_are_shown_with_their_units(value, unit, text):
    assert shown(value, unit) == text
