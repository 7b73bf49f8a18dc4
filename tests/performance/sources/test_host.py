import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from performance.sources.base import (
    MOST_POINTS,
    Query,
    SourceRefused,
    grid_of,
    on_grid,
    step_for,
    without_secrets,
)
from performance.sources.host import HOUR, Host, Sampler, forget, host_queries, local_port, process_on
from performance.sources.host_samples import FIELDS, RECORD, read_samples, series_of

NINE = datetime(2026, 1, 4, 9, tzinfo=UTC)


def records(n, start=NINE, every=1.0, **columns):
    made = np.full(n, np.nan, RECORD)
    made["at"] = start.timestamp() + every * np.arange(n)
    for name, values in columns.items():
        made[name] = values
    return made


def test_the_program_notes_this_machine_the_generator_and_a_target_on_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as target:
        (tmp_path / "plan.json").write_text(
            json.dumps({"target": f"http://127.0.0.1:{target.getsockname()[1]}"})
        )
        arguments = [
            tmp_path,
            "--interval",
            "0.05",
            "--generator",
            os.getpid(),
            "--plan",
            tmp_path / "plan.json",
        ]
        command = [sys.executable, "-m", "performance.sources.host", *map(str, arguments)]
        with subprocess.Popen(command) as program:
            deadline = time.monotonic() + 60
            while len(samples := read_samples(tmp_path / "host.bin")) < 4 and time.monotonic() < deadline:
                sum(range(200_000))  # this process is generator and target
            program.terminate()

    assert program.returncode == 0
    assert np.all(np.diff(samples["at"]) > 0)
    for name in ("cpu", "core", "memory_share"):
        assert np.all((samples[name] >= 0) & (samples[name] <= 1)), name
    assert samples["generator"][-1] > 0
    assert samples["target"][-1] > 0
    assert samples["target_memory"][-1] > 1e6


def test_the_program_ends_when_who_started_it_is_gone(tmp_path):
    command = [sys.executable, "-m", "performance.sources.host", str(tmp_path), "--interval", "0.05"]
    starter = (
        "import pathlib, subprocess, sys, time\n"
        f"program = subprocess.Popen({command!r}, stdout=subprocess.DEVNULL)\n"
        f"while not pathlib.Path({str(tmp_path / 'host.bin')!r}).exists(): time.sleep(0.02)\n"
        "print(program.pid)"
    )
    started = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=True)
    process = Path("/proc", started.stdout.strip())

    deadline = time.monotonic() + 60
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not process.exists()


def test_a_target_that_is_gone_leaves_a_gap():
    sampler = Sampler(generator=2**22 - 1, target_port=0)

    record = sampler.sample()

    assert np.isnan([record["generator"][0], record["target"][0], record["target_memory"][0]]).all()


def test_a_port_belongs_to_the_process_that_listens_on_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert process_on(server.getsockname()[1]) == os.getpid()
    assert process_on(1) == 0


@pytest.mark.parametrize(
    ("target", "port"),
    [("http://127.0.0.1:81/x", 81), ("https://localhost", 443), ("http://[::1]", 80), ("http://shop:80", 0)],
)
def test_only_a_target_with_an_address_of_this_machine_is_looked_for(tmp_path, target, port):
    (tmp_path / "plan.json").write_text(json.dumps({"target": target}))

    assert local_port(tmp_path / "plan.json") == port


def test_the_machines_own_record_is_read_over_the_hours_of_a_run(tmp_path):
    start = NINE - timedelta(seconds=3)
    rows = records(6, start, cpu=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    hour = int(NINE.timestamp() // HOUR)
    (tmp_path / f"{hour - 1}.bin").write_bytes(rows[:3].tobytes())
    (tmp_path / f"{hour}.bin").write_bytes(rows[3:].tobytes() + b"torn")

    series = Host(tmp_path).read(Query("CPU", "cpu"), start, start + timedelta(seconds=7), 1.0)

    np.testing.assert_allclose(series.values, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, np.nan, np.nan], rtol=1e-6)
    assert (series.unit, series.saturated_at) == ("share", 0.95)


def test_a_machine_without_a_record_of_the_time_gives_gaps(tmp_path):
    assert Host(tmp_path).read(Query("CPU", "cpu"), NINE, NINE, 1.0).n == 0


def test_an_unknown_column_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(SourceRefused, match=r"no 'gpu'; it has cpu, core, memory"):
        Host(tmp_path).read(Query("GPU", "gpu"), NINE, NINE, 1.0)


def test_all_that_the_machine_is_asked_can_be_answered(tmp_path):
    assert {query.query for query in host_queries()} < set(FIELDS)


def test_old_hours_are_forgotten_and_nothing_else(tmp_path):
    for name in ("1.bin", "2.bin", "3.bin", "notes.bin"):
        (tmp_path / name).touch()

    forget(tmp_path, before=3.5 * HOUR)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.bin", "notes.bin"]


def test_series_of_a_load_leave_out_what_was_not_measured():
    found = {series.name: series for series in series_of(records(3, cpu=0.5, target=[0.2, 0.5, 0.9]))}

    assert set(found) == {"CPU", "CPU of the target"}
    assert found["CPU of the target"].saturated_at == 0.85


def test_a_target_that_used_more_than_a_core_is_not_full_at_one():
    (series,) = series_of(records(3, target=[0.2, 1.8, 0.9]))

    assert series.saturated_at is None


@given(seconds=st.floats(0, 1e7), late=st.floats(0, 1e9))
def test_a_span_of_any_length_has_a_bounded_number_of_steps_that_cover_it(seconds, late):
    start = NINE + timedelta(seconds=late)
    end = start + timedelta(seconds=seconds)
    step = step_for(start, end)
    grid = grid_of(start, end, step)

    assert len(grid) <= MOST_POINTS + 2
    assert grid[0] <= start.timestamp() < grid[0] + step
    assert grid[-1] <= end.timestamp() < grid[-1] + step


@given(st.lists(st.tuples(st.floats(0, 99.99), st.floats(-1e6, 1e6)), max_size=50))
def test_a_step_has_the_mean_of_its_values_or_a_gap(points):
    grid = np.arange(0, 100, 10.0)
    times, values = (np.array([point[i] for point in points], float) for i in (0, 1))

    made = on_grid(times, values, grid, 10.0)

    for number, start in enumerate(grid):
        mine = values[(times >= start) & (times < start + 10)]
        assert np.isnan(made[number]) if not len(mine) else made[number] == pytest.approx(mine.mean())


def test_a_message_loses_the_password_of_an_address():
    assert without_secrets("can't reach http://ada:hush@host:9090/x") == "can't reach http://host:9090/x"
