"""A build that really works: compiles, hashes, sorts and writes; the demo's job and that of build_job.yml."""

import os
import sys
import time

STARTED = time.time()

import argparse  # noqa: E402 - its own clock starts first
import hashlib  # noqa: E402
import random  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

ROUNDS = {"light": 5, "standard": 20, "heavy": 80}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--workload", choices=ROUNDS, default=os.environ.get("INPUT_WORKLOAD_TYPE", "standard")
    )
    workload = parser.parse_args().workload
    job = os.environ.get("JOB_NAME", "build")
    print("🚀 Starting build simulation")
    print("Workflow: Realistic Build Job")
    print(f"Run ID: {os.environ.get('RUN_ID', os.getpid())}")
    print(f"Job: {job}")
    print(f"Workload Type: {workload}", flush=True)
    chance = random.Random(os.environ.get("DISPATCH_ID", job))
    rounds = ROUNDS[workload] + chance.randrange(ROUNDS[workload] + 1)
    with tempfile.TemporaryDirectory(prefix="build-job-") as folder:
        for number in range(1, rounds + 1):
            print(build(Path(folder), number, chance), flush=True)
    print(f"Clock: from {STARTED:.3f} to {time.time():.3f} (Unix seconds)")
    return 0


def build(folder: Path, number: int, chance: random.Random) -> str:
    """One round of honest work; return a line about it."""
    begun = time.perf_counter()
    source = "\n".join(
        f"def f{n}(x):\n    return [x * {n} + y for y in range(x) if y % {n + 1}]" for n in range(700)
    )
    code = compile(source, f"unit_{number}.py", "exec")
    numbers = [chance.random() for _ in range(60_000)]
    numbers.sort()
    written = folder / f"unit_{number}.txt"
    written.write_text("\n".join(map(repr, numbers)))
    digest = hashlib.sha256(written.read_bytes() + code.co_code).hexdigest()
    took = time.perf_counter() - begun
    done = f"compiled 700 functions, sorted 60,000 numbers, wrote {written.stat().st_size:,} bytes"
    return f"[{number}] {done}, sha256 {digest[:12]} ({took:.2f} s)"


if __name__ == "__main__":
    sys.exit(main())
