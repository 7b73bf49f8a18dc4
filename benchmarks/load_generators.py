"""What a request costs the generators, and how punctual they are.

`script/bench load_generators`.  All against the same small server on loopback, in turn, in CPU time.  "Locust
alone" is Locust's FastHttpUser without anything of ours; starting is taken off by a short load before each.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from performance.samples import read_folder

ROOT = Path(__file__).resolve().parent.parent
USERS, SHORT, LONG, ROUNDS = 32, 2, 6, 3
CLOSED = {"requests": [{"name": "a", "path": "/"}], "users": USERS, "abort": {"error_share": None}}
ALONE = """
from locust import FastHttpUser, task
class Alone(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
"""


class Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.transport.write(answer * data.count(b"\r\n\r\n"))


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    if sys.argv[1:] == ["serve"]:
        import uvloop

        return uvloop.run(serve())
    words = [sys.executable, "-m", "benchmarks.load_generators", "serve"]
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    kinds = {"open_loop": ours("open_loop"), "locust": ours("locust"), "Locust alone": alone}
    costs = {name: [] for name in kinds}
    try:
        for _ in range(int(os.environ.get("BENCH_ROUNDS", ROUNDS))):
            for name, load in kinds.items():
                costs[name].append(cost(load, url))
        late = punctuality(url)
    finally:
        server.kill()
    best = statistics.median(costs["open_loop"])
    print(f"CPU of a request, {USERS} users without a pause, median [min..max]; ratio to open_loop")
    for name, found in costs.items():
        middle = statistics.median(found)
        spread = f"[{min(found):.0f}..{max(found):.0f}]"
        print(f"{name:14} {middle:7.1f} us {spread:12} {middle / best:6.1f}")
    shown = ", ".join(f"{key} {value * 1000:.3f} ms" for key, value in late.items())
    print(f"open_loop, 100 requests a second for 10 s: sent late by {shown}")
    return None


def cost(load, url: str) -> float:
    """Microseconds of CPU that one more request costs."""
    (few, little), (many, much) = (load(url, seconds) for seconds in (SHORT, LONG))
    return (much - little) / max(1, many - few) * 1e6


def ours(name: str):
    def load(url: str, seconds: float) -> tuple[int, float]:
        with tempfile.TemporaryDirectory() as folder:
            spent = generate(name, url, {**CLOSED, "duration": seconds}, Path(folder))
            return len(read_folder(Path(folder)).rows), spent

    return load


def generate(name: str, url: str, spec: dict, folder: Path) -> float:
    """Run a generator; return its CPU seconds, children included."""
    (folder / "plan.json").write_text(json.dumps({"spec": spec, "target": url, "seed": 1}))
    module = f"performance.generators.{name}"
    return spent_by([sys.executable, "-m", module, str(folder / "plan.json"), str(folder)])


def alone(url: str, seconds: float) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "alone.py").write_text(ALONE)
        words = [sys.executable, "-m", "locust", "-f", f"{folder}/alone.py", "--headless", "--host", url]
        words += ["-u", str(USERS), "-r", str(USERS), "-t", f"{seconds}s", "--json", "--loglevel", "ERROR"]
        before = used()
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return sum(one["num_requests"] for one in json.loads(said)), used() - before


def spent_by(words: list[str]) -> float:
    before = used()
    subprocess.run(words, cwd=ROOT, input=b"{}", stderr=subprocess.DEVNULL, check=True)
    return used() - before


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def punctuality(url: str) -> dict[str, float]:
    spec = {"requests": [{}], "arrival": {"kind": "constant", "rate": 100}, "duration": 10}
    with tempfile.TemporaryDirectory() as folder:
        generate("open_loop", url, spec, Path(folder))
        return json.loads((Path(folder) / "end.json").read_text())["facts"]["late"]


if __name__ == "__main__":
    main()
