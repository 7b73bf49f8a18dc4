"""What the pytest plugin costs: 5,000 trivial tests in 50 files, beside `--junitxml`.

`script/bench plugin`.  The variants take turns, so that a busy machine hurts all alike; ratios are
to pytest alone, in CPU time of the whole process and its children, and in wall time.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.client.receiver import receiving

ROOT = Path(__file__).resolve().parent.parent
FILES, TESTS, ROUNDS = 50, 100, 5
VARIANTS = {
    "pytest alone": [],
    "--junitxml": ["--junitxml=junit.xml"],
    "--runtrail": ["-p", "runtrail.plugin", "--runtrail"],
    "and sent": ["-p", "runtrail.plugin", "--runtrail"],
}


def main() -> None:
    rounds = int(os.environ.get("BENCH_ROUNDS", ROUNDS))
    with tempfile.TemporaryDirectory(prefix="runtrail-bench-") as folder:
        make_suite(Path(folder))
        run(Path(folder), [])  # compiles the files
        times = {name: [] for name in VARIANTS}
        with receiving() as receiver:
            for _ in range(rounds):
                for name, arguments in VARIANTS.items():
                    url = receiver.url if name == "and sent" else ""
                    times[name].append(run(Path(folder), arguments, url))
            assert len(receiver.lines()) == FILES * TESTS + 2
    print(
        f"{FILES * TESTS:,} trivial tests, {rounds} rounds in turn; ratio to pytest alone, median [min..max]"
    )
    for name, found in times.items():
        print(f"{name:14} CPU {ratios(found, times, 0)}   wall {ratios(found, times, 1)}")
    plugin, junit = (
        statistics.median(cpu for cpu, _ in times[name]) for name in ("--runtrail", "--junitxml")
    )
    alone = statistics.median(cpu for cpu, _ in times["pytest alone"])
    print(f"a test: plugin {(plugin - alone) / 5:.3f} ms, junitxml {(junit - alone) / 5:.3f} ms")


def make_suite(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n")
    for number in range(FILES):
        tests = "".join(f"def test_{each}():\n    assert True\n\n\n" for each in range(TESTS))
        (folder / f"test_{number:02d}.py").write_text(tests)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], cwd=folder, check=True)


def run(folder: Path, arguments: list[str], url: str = "") -> tuple[float, float]:
    """CPU and wall seconds of one session; without `url` the plugin keeps its report."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "client" / "src"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "RUNTRAIL_SPOOL": str(folder / ".git" / "spool"),
        "RUNTRAIL_URL": url,
        "RUNTRAIL_TOKEN": "rt_0123456789" if url else "",
    }
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def ratios(found: list[tuple[float, float]], times: dict, part: int) -> str:
    pairs = [mine[part] / alone[part] for mine, alone in zip(found, times["pytest alone"], strict=True)]
    return f"{statistics.median(pairs):.3f} [{min(pairs):.3f}..{max(pairs):.3f}]"


if __name__ == "__main__":
    main()
