"""Every sample is kept, compactly, and read again as it was, whatever broke off its writing."""

import io

import numpy as np
import pytest

from performance.generators.gathering import Part
from performance.generators.recording import Recorder
from performance.samples import SAMPLE, NoSamples, pack, read_folder, unpack
from tests.performance.factories import make_samples


def record(folder, count, *, names=("a", "b"), component="db"):
    recorder = Recorder(folder, list(names))
    for number in range(count):
        recorder.add_part(component, 0.001)
        recorder.add(number / 10, number / 10, 0.02, 0.01, number % 2, 200, 7, 0)
    recorder.close()
    return recorder


def test_what_a_generator_wrote_is_read(tmp_path):
    record(tmp_path, 20_000)

    samples = read_folder(tmp_path)

    assert samples.requests == ["a", "b"]
    assert len(samples.rows) == len(samples.parts) == 20_000
    assert samples.rows["intended"][12_345] == pytest.approx(1234.5)
    assert samples.parts["sample"][-1] == 19_999


def test_a_torn_record_is_left_out_with_its_components(tmp_path):
    record(tmp_path, 10)
    data = (tmp_path / "samples.bin").read_bytes()
    (tmp_path / "samples.bin").write_bytes(data[: 9 * SAMPLE.itemsize + 5])

    samples = read_folder(tmp_path)

    assert len(samples.rows) == len(samples.parts) == 9


def test_a_generator_that_wrote_nothing_left_no_samples(tmp_path):
    with pytest.raises(NoSamples, match="wrote no samples"):
        read_folder(tmp_path)
    record(tmp_path, 0)
    with pytest.raises(NoSamples, match="No request had ended"):
        read_folder(tmp_path)


def test_packed_samples_are_columns_that_numpy_opens_and_equal_ones_are_equal_files():
    samples = make_samples(np.linspace(0.01, 0.02, 70_000), components={"db": 0.005})
    first, second = io.BytesIO(), io.BytesIO()
    pack(samples, first)
    pack(samples, second)

    again = unpack(first)

    assert np.array_equal(again.rows, samples.rows)
    assert np.array_equal(again.parts, samples.parts)
    assert again.components == ["db"]
    assert np.allclose(np.load(io.BytesIO(first.getvalue()))["latency"], samples.rows["latency"])
    assert first.getvalue() == second.getvalue()
    assert len(first.getvalue()) < samples.rows.nbytes / 3


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04broken"])
def test_another_file_is_refused(content):
    with pytest.raises(NoSamples, match="can't be read"):
        unpack(io.BytesIO(content))


def test_parts_of_several_processes_are_gathered_as_they_grow(tmp_path):
    main = Recorder(tmp_path, ["b"])
    folders = [tmp_path / "part-0", tmp_path / "part-1"]
    writers = []
    for number, folder in enumerate(folders):
        folder.mkdir()
        writers.append(Recorder(folder, ["a", "b"] if number else ["b", "c"]))
    parts = [Part(folder) for folder in folders]
    for turn in range(3):
        for writer in writers:
            writer.add_part(f"component-{turn}", 0.5)
            writer.add(turn, turn, 1.0, 1.0, 1, 200, 0, 0)
            writer.flush()
        for part in parts:
            main.add_many(*part.take(main))
    for one in (main, *writers):
        one.close()

    samples = read_folder(tmp_path)

    assert samples.requests == ["b", "c", "a"]
    assert [samples.requests[number] for number in samples.rows["request"]] == ["c", "b"] * 3
    owners = samples.rows["intended"][samples.parts["sample"]]
    assert [samples.components[number] for number in samples.parts["component"]] == [
        f"component-{turn:.0f}" for turn in owners
    ]
