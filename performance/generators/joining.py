"""Machines that join a load by Locust: the one that leads gives the plan, the others send back their samples.

`python -m performance.generators.joining HOST PORT` on the other machine, with the shared secret on standard
input.  All that is said between the two is encrypted with that secret; Locust's own connection is not.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from performance.generating import in_own_session, read_json
from performance.generators.base import Plan, write_json

JOIN_PORT = 5558
SECRET = "join"  # noqa: S105 - the name of the workload's secret that both sides know
EVERY, LARGEST = 0.3, 1 << 26  # seconds between two messages; bytes of one
GROWING, WHOLE = ("samples.bin", "components.bin"), ("names.json", "state.json", "ready")


class Line:
    """An encrypted conversation of JSON objects over a connection."""

    def __init__(self, connection: socket.socket, secret: str) -> None:
        self.connection = connection
        self.secret = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))

    def say(self, content: Any) -> None:
        message = self.secret.encrypt(json.dumps(content).encode())
        self.connection.sendall(struct.pack("!I", len(message)) + message)

    def hear(self) -> Any:
        """Return what the other side said next.

        Raises:
            ConnectionError: it went away, or does not know the secret.
        """
        (length,) = struct.unpack("!I", self._exactly(4))
        if length > LARGEST:
            raise ConnectionError("a message is too long")
        try:
            return json.loads(self.secret.decrypt(self._exactly(length)))
        except InvalidToken:
            raise ConnectionError("the other side does not know the secret") from None

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.connection.recv(length - len(data))
            if not piece:
                raise ConnectionError("the other side went away")
            data += piece
        return data


class Host:
    """Lets machines join: each gets a part of the load, and its files are written here like local ones."""

    def __init__(self, plan: Plan, told: dict[str, Any], folder: Path, parts: range, port: int) -> None:
        self.plan, self.told, self.folder = plan, told, folder
        self.left = list(parts)
        self.lost = ""
        self.lock = threading.Lock()
        self.door = socket.create_server(("", port), reuse_port=False)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            connection, _ = self.door.accept()
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        line = Line(connection, self.plan.secrets.get(SECRET, ""))
        connection.settimeout(20)
        try:
            line.hear()
        except (OSError, ValueError):
            connection.close()
            return
        with self.lock:
            part = self.left.pop(0) if self.left else None
        if part is None:
            return
        try:
            line.say({**self.told, "secrets": self.plan.secrets, "part": part})
            self._take(line, self.folder / f"part-{part}")
        except (OSError, ValueError):
            self.lost = f"A machine that had joined the load is gone (part {part})."

    def _take(self, line: Line, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        while True:
            for name, content in line.hear().items():
                data = base64.b64decode(content)
                if name in GROWING:
                    with (folder / name).open("ab") as file:
                        file.write(data)
                elif name in WHOLE:
                    (folder / f"{name}.draft").write_bytes(data)
                    (folder / f"{name}.draft").replace(folder / name)
            begin = read_json(self.folder / "begin.json").get("at")
            # Their clock may be another one, so they are told how long to wait.
            line.say({"begin_in": None if begin is None else begin - time.time()})


def join(host: str, port: int, secret: str) -> int:
    """Take part in the load that is led from `host`, until that ends it."""
    reached = socket.create_connection((host, port), timeout=20)
    with reached as connection, tempfile.TemporaryDirectory() as name:
        line, folder = Line(connection, secret), Path(name)
        line.say({"hello": socket.gethostname()})
        told = line.hear()
        process = _start(told, folder, host)
        try:
            _send_back(line, folder, told["part"], process)
        except ConnectionError:
            pass  # the load has ended there, and so it does here
        finally:
            process.kill()
            process.wait()
        return 0 if (folder / "begin.json").exists() else 1


def _start(told: dict[str, Any], folder: Path, host: str) -> subprocess.Popen[bytes]:
    plan_path = folder / "plan.json"
    plan_path.touch(mode=0o600)
    plan_path.write_text(json.dumps(told["plan"]))
    files = [folder / "runtrail_load.py"]
    files[0].write_text("from performance.generators.locust_hooks import *  # noqa: F403\n")
    if told["plan"].get("locustfile"):
        files.append(folder / "own_locustfile.py")
        files[1].write_text(told["plan"]["locustfile"])
    reach = ["--worker", "--master-host", host, "--master-port", str(told["locust_port"])]
    variables = {
        **os.environ,
        "RUNTRAIL_LOAD_PLAN": str(plan_path),
        "RUNTRAIL_LOAD_FOLDER": str(folder),
        "RUNTRAIL_LOAD_PART": str(told["part"]),
        "RUNTRAIL_LOAD_PARTS": str(told["parts"]),
    }
    words = ["-f", ",".join(map(str, files)), "--skip-log-setup", *reach]
    process = subprocess.Popen(
        [sys.executable, "-m", "locust", *words],
        env=variables,
        stdin=subprocess.PIPE,
        preexec_fn=in_own_session(own=False),
    )
    assert process.stdin is not None  # noqa: S101
    process.stdin.write(json.dumps(told["secrets"]).encode())
    process.stdin.close()
    return process


def _send_back(line: Line, folder: Path, part: int, process: subprocess.Popen[bytes]) -> None:
    """Send what is new in the part's files, and learn when to begin."""
    read = dict.fromkeys(GROWING, 0)
    mine = folder / f"part-{part}"
    has_ended = False
    while not has_ended:
        has_ended = process.poll() is not None  # what it wrote last is sent all the same
        news: dict[str, str] = {}
        # Components before their rows, as they were written: rows are read first.
        for name in GROWING:
            with contextlib.suppress(FileNotFoundError), (mine / name).open("rb") as file:
                file.seek(read[name])
                data = file.read(LARGEST // 4)
                read[name] += len(data)
                news[name] = base64.b64encode(data).decode()
        for name in WHOLE:
            with contextlib.suppress(FileNotFoundError):
                news[name] = base64.b64encode((mine / name).read_bytes()).decode()
        line.say({name: news[name] for name in (*WHOLE, *reversed(GROWING)) if name in news})
        wait = line.hear()["begin_in"]
        if wait is not None and not (folder / "begin.json").exists():
            write_json(folder / "begin.json", {"at": time.time() + wait})
        time.sleep(EVERY)


def free_port() -> int:
    """A port on loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(join(sys.argv[1], int(sys.argv[2]), sys.stdin.read().strip()))
