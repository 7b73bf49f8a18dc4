"""The load itself: when requests are meant to be sent, what they are, and how their times count."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.arrivals import stages
from performance.samples import read_folder
from performance.specification import FaultySpec, read_spec
from tests.integration.live import open_shop
from tests.journeys.product import ROOT
from tests.performance.intended import intended_times

REQUESTS = [{"name": "catalog", "path": "/catalog"}]


def load(duration=10, warmup=0, **arrival):
    return read_spec({"requests": REQUESTS, "arrival": arrival, "duration": duration, "warmup": warmup})


@pytest.mark.parametrize(
    ("arrival", "planned"),
    [
        ({"kind": "constant", "rate": 50}, 500),
        ({"kind": "ramp", "rate": 10, "to_rate": 90}, 500),
        ({"kind": "steps", "rates": [20, 40], "step_duration": 5}, 300),
        (
            {"kind": "spikes", "rate": 10, "spike_rate": 100, "spike_every": 5, "spike_duration": 1},
            280,
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_every_kind_of_arrival_sends_as_many_as_its_curve_holds(arrival, planned):
    spec = load(**arrival)

    assert sum(stage.planned for stage in stages(spec)) == pytest.approx(planned)
    assert len(intended_times(spec, seed=1)) == pytest.approx(planned, abs=len(stages(spec)))


def test_even_arrivals_are_evenly_spaced():
    gaps = np.diff(intended_times(load(kind="constant", rate=50), seed=1))

    assert gaps == pytest.approx(np.full(len(gaps), 0.02))


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process():
    gaps = np.diff(intended_times(load(duration=400, kind="constant", rate=50, spacing="poisson"), seed=3))

    assert gaps.mean() == pytest.approx(0.02, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05), "as wide as its mean"


@settings(max_examples=30, deadline=None)
@given(
    rate=st.floats(1, 300),
    duration=st.floats(1, 30),
    seed=st.integers(0, 2**31 - 1),
    spacing=st.sampled_from(["even", "poisson"]),
)
def test_arrivals_ascend_stay_inside_and_repeat_by_their_seed(rate, duration, seed, spacing):
    spec = load(duration=duration, warmup=1, kind="constant", rate=rate, spacing=spacing)

    times = intended_times(spec, seed)

    assert (np.diff(times) >= 0).all()
    assert len(times) == 0 or (times[0] >= 0 and times[-1] <= duration + 1)
    assert np.array_equal(times, intended_times(spec, seed))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"requests": [], "users": 1, "duration": 1}, "requests"),
        ({"requests": REQUESTS, "duration": 1}, "arrival"),
        ({"requests": REQUESTS, "arrival": {"kind": "sometimes"}, "duration": 1}, "arrival.kind"),
        ({"requests": [{"path": "nowhere"}], "users": 1, "duration": 1}, "path"),
        ({"requests": REQUESTS, "users": 1, "duration": 1, "durations": 2}, "durations"),
    ],
)
def test_a_faulty_load_is_refused_and_the_fault_has_its_place(spec, fault):
    with pytest.raises(FaultySpec) as refused:
        read_spec(spec)

    assert any(fault in text for text in refused.value.faults)


def test_a_target_that_halts_is_not_flattered(tmp_path):
    """Times count from the moment a request was meant to be sent, whatever the requests before it took."""
    with open_shop("--switch", "workers=1", "--slow", "rendering=0.05") as address:
        plan = {
            "run": "a-test",
            "spec": {
                "requests": REQUESTS,
                "arrival": {"kind": "constant", "rate": 40},
                "duration": 1.5,
                "connections": 1,
            },
            "seed": 1,
            "target": address,
            "headers": {},
            "variables": {},
            "locustfile": "",
        }
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        (tmp_path / "out").mkdir()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "performance.generators.open_loop",
                tmp_path / "plan.json",
                tmp_path / "out",
            ],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )

    rows = read_folder(tmp_path / "out").rows

    # It serves 20 of the 40 that come each second, so the last ones wait for most of the load's length.
    assert rows["latency"].max() > 0.5
    assert np.median(rows["service"]) < 0.3
