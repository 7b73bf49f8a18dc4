"""`runtrail-client`: send reports, decide in CI whether a run may pass, look after the spool."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtrail import __version__, gate
from runtrail.api import Refused, Server, TryAgain, query_of
from runtrail.context import ci_facts
from runtrail.delivery import send_one
from runtrail.git import WorkingTree
from runtrail.report_file import close_orphan, read_header
from runtrail.settings import Settings, settings_from
from runtrail.spool import Spool

OK, FAILED, USAGE, COULD_NOT = 0, 1, 2, 3
PAUSES = (1.0, 4.0)  # seconds before each further try
LONGEST_PAUSE = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 the answer is no, 2 bad usage, 3 could not."""
    parser = _parser()
    options = parser.parse_args(arguments)
    settings = settings_from({**os.environ, **_given(options)})
    try:
        code: int = options.run(options, settings)
    except (TryAgain, Refused) as problem:
        return _fail(f"{settings.destination.url}: {problem}")
    except OSError as problem:
        return _fail(str(problem))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        # Python would end with 1, which CI would read as a verdict.
        return _fail(f"what answered is no Runtrail server ({type(problem).__name__}: {problem})")
    except KeyboardInterrupt:
        return _fail("interrupted")
    return code


def upload(options: argparse.Namespace, settings: Settings) -> int:
    """Send files; those that can't be sent now are left where they are."""
    missing = [name for name in options.files if not Path(name).is_file()]
    if missing:
        return _fail(f"there is no file {missing[0]!r}", USAGE)
    server = _server(settings, options.timeout)
    query = _query(options, settings)
    code = OK
    for name in options.files:
        path = Path(name)
        if read_header(path):
            close_orphan(path)
        try:  # a file of the plugin knows itself where it comes from
            answer = _patiently(server, path, {**(query_of(path) or query), **_explicit(options)})
        except Refused as problem:
            code = max(code, FAILED)
            print(f"{name}: refused: {problem}", file=sys.stderr)
        except TryAgain as problem:
            code = COULD_NOT
            print(f"{name}: not sent: {problem}", file=sys.stderr)
        else:
            Spool(settings.spool).remember_last(settings.destination.address, answer)
            print(f"{name}: {_told(answer)} {server.url}/runs/{answer['testRunId']}/")
            for problem_text in answer.get("problems") or []:
                print(f"{name}: {problem_text}", file=sys.stderr)
    return code


def _patiently(server: Server, path: Path, query: dict[str, str]) -> dict[str, Any]:
    """Try some times; a report that arrived although its answer got lost is stored once all the same."""
    for pause in PAUSES:
        try:
            return server.send(path, query)
        except TryAgain as problem:
            time.sleep(min(problem.after or pause, LONGEST_PAUSE))
    return server.send(path, query)


def _told(answer: dict[str, Any]) -> str:
    counts = [
        f"{answer[name]} {name}" for name in ("passed", "failed", "error", "skipped") if answer.get(name)
    ]
    return f"{answer.get('status', 'sent')}, {', '.join(counts) or 'no tests yet'}:"


def _query(options: argparse.Namespace, settings: Settings) -> dict[str, str]:
    """What is known of here: the CI service's word, else git's."""
    facts = ci_facts(os.environ)
    tree = WorkingTree(Path.cwd(), os.environ)
    tree.begin_hashing()
    found = {
        "format": options.format or "",
        "environment": settings.environment,
        "space": settings.space or ("ci" if facts else "local"),
        "branch": facts.get("branch") or tree.branch,
        "commit": facts.get("commit") or tree.commit,
        "treeHash": tree.finish_hashing(10.0),
        "testRunId": settings.test_run_id,
        "shard": settings.shard,
    }
    return {key: value for key, value in found.items() if value}


def _explicit(options: argparse.Namespace) -> dict[str, str]:
    """What was typed; it wins over what a file says of itself."""
    names = {"format": "format", "environment": "environment", "space": "space", "branch": "branch"}
    names.update(commit="commit", test_run_id="testRunId", shard="shard")
    return {there: getattr(options, here) for here, there in names.items() if getattr(options, here)}


def close(options: argparse.Namespace, settings: Settings) -> int:
    """Give an end to reports of sessions that were killed; those that live are left alone."""
    for name in options.files:
        close_orphan(Path(name))
    return OK


def decide(options: argparse.Namespace, settings: Settings) -> int:
    server = _server(settings, options.timeout)
    answer = Spool(settings.spool).last(settings.destination.address)
    head = options.test_run_id or answer.get("testRunId", "")
    if not head:
        return _fail("which run? Nothing was sent from here yet: say --test-run-id ID")
    try:
        verdict = gate.decide(
            server, head, base=options.base, branch=options.base_branch, within=options.wait, report=answer
        )
    except gate.Undecided as problem:
        return _fail(str(problem))
    for line in verdict.lines:
        print(line)
    return FAILED if verdict.to_blame else OK


def list_spool(options: argparse.Namespace, settings: Settings) -> int:
    spool = Spool(settings.spool)
    ours = settings.destination.address
    for path in spool.waiting():
        where = "" if path.parent.name == ours else "  (for another server or token)"
        print(f"waiting  {_described(path)}{where}")
    for path in spool.put_aside():
        print(f"refused  {_described(path)}  {spool.reason(path)}")
    return OK


def send_spool(options: argparse.Namespace, settings: Settings) -> int:
    spool, server = Spool(settings.spool), _server(settings, options.timeout)
    address = settings.destination.address
    spool.adopt(address)
    paths = spool.waiting() if options.all else [*spool.waiting(address), *spool.waiting("unaddressed")]
    paths += spool.put_aside() if options.refused else []
    left = 0
    for path in paths:
        answer = send_one(server, spool, path)
        left += answer is None
        print(f"{path.name}: {'sent' if answer else 'refused'}")
    return FAILED if left else OK


def clear_spool(options: argparse.Namespace, settings: Settings) -> int:
    spool = Spool(settings.spool)
    paths = [*spool.waiting(), *spool.put_aside()]
    for path in paths:
        spool.forget(path)
    print(f"{len(paths)} reports removed")
    return OK


def _described(path: Path) -> str:
    header = read_header(path)
    return f"{header.get('started_at', '')[:19]}Z  {path.stat().st_size:>10,} bytes  {path}"


def _server(settings: Settings, timeout: float) -> Server:
    if not settings.destination.is_complete:
        raise Refused("say where to: RUNTRAIL_URL and RUNTRAIL_TOKEN, or --url")
    return Server(settings.destination, timeout=timeout)


def _given(options: argparse.Namespace) -> dict[str, str]:
    names = {"RUNTRAIL_URL": "url", "RUNTRAIL_SPOOL": "spool"}
    return {variable: getattr(options, name) for variable, name in names.items() if getattr(options, name)}


def _fail(text: str, code: int = COULD_NOT) -> int:
    print(f"runtrail-client: {text}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runtrail-client", description=__doc__)
    parser.add_argument("--version", action="version", version=f"runtrail-client {__version__}")
    parser.add_argument("--url", default="", help="address of the server; default: RUNTRAIL_URL")
    parser.add_argument("--spool", default="", metavar="DIR", help="default: RUNTRAIL_SPOOL")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each step of a connection")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sending = commands.add_parser("upload", help="send test reports of any format, plain, gzip or zip")
    sending.add_argument("files", nargs="+", metavar="FILE")
    sending.add_argument("--shard", default="", metavar="I/N", help="this is part I of N of a run")
    sending.add_argument("--format", default="", help="default: found from the content")
    for name in ("environment", "space", "branch", "commit", "test-run-id"):
        sending.add_argument(f"--{name}", default="", help="default: what this machine knows")
    sending.set_defaults(run=upload)

    closing = commands.add_parser("close", help="give an end to reports of sessions that were killed")
    closing.add_argument("files", nargs="+", metavar="FILE")
    closing.set_defaults(run=close)

    gating = commands.add_parser("gate", help="0: nothing newly failing; 1: something; 3: can't be said")
    gating.add_argument("--test-run-id", default="", help="default: the run last sent from this machine")
    gating.add_argument("--base", default="", metavar="ID", help="run to compare with")
    gating.add_argument("--base-branch", default="main", help="else the latest ended run of this branch")
    gating.add_argument("--wait", type=float, default=60.0, help="seconds for the report to be stored")
    gating.set_defaults(run=decide)

    spool = commands.add_parser("spool", help="reports that wait on this machine").add_subparsers(
        required=True, metavar="list|send|clear"
    )
    spool.add_parser("list").set_defaults(run=list_spool)
    send = spool.add_parser("send", help="send what waits for this server, the oldest first")
    send.add_argument("--all", action="store_true", help="also what was for another server or token")
    send.add_argument("--refused", action="store_true", help="also what a server refused before")
    send.set_defaults(run=send_spool)
    spool.add_parser("clear", help="remove what waits and what was refused").set_defaults(run=clear_spool)
    return parser


if __name__ == "__main__":
    sys.exit(main())
