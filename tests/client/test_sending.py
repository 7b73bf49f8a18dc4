"""What becomes of a session's report: sent, kept, refused, found again after a kill."""

import json
import signal
import socket
import time

import pytest

from tests.client.receiver import ANSWER, hanging_up, sleeping, with_status
from tests.client.sessions import PLUGIN, TOKEN, XDIST, outcomes, record_and_send, where

ONE = "def test_a(): pass\n"


def unused_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_session_is_sent_when_it_ends(project, receiver):
    project.write("test_a.py", ONE)

    done, line = record_and_send(project, **where(receiver, RUNTRAIL_ENVIRONMENT="desk"))

    assert done.returncode == 0
    assert line == f"runtrail: 1 test sent: {receiver.url}/runs/{ANSWER['testRunId']}/"
    assert outcomes(receiver.lines()) == {"test_a": "passed"}
    (request,) = receiver.requests
    assert request["path"] == "/api/v1/reports/"
    assert request["query"] == {"format": "runtrail", "environment": "desk", "space": "local"}
    assert request["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert request["headers"]["User-Agent"].startswith("runtrail-client/")
    assert not project.kept()
    assert not list((project.spool / "running").iterdir())


def test_the_ini_file_turns_it_on_and_says_where(project, receiver):
    project.write(
        "pytest.ini",
        f"[pytest]\nruntrail = true\nruntrail_url = {receiver.url}\nruntrail_token = {TOKEN}\n"
        "runtrail_environment = x\n",
    )
    project.write("test_a.py", ONE)

    done = project.run(*PLUGIN)
    quiet = project.run(*PLUGIN, "--no-runtrail")

    assert "runtrail: 1 test sent" in done.stdout
    assert "runtrail" not in quiet.stdout
    assert len(receiver.reports) == 1
    assert receiver.requests[0]["query"]["environment"] == "x"


def test_with_workers_one_report_is_sent(project, receiver):
    project.write("test_a.py", "".join(f"def test_{n}(): pass\n" for n in range(20)))

    _, line = record_and_send(project, *XDIST, **where(receiver))

    assert line.startswith("runtrail: 20 tests sent")
    assert len(receiver.reports) == 1
    assert len(outcomes(receiver.lines())) == 20


FAULTS = {
    "an error of the server": with_status(500),
    "a server that is busy": with_status(503, Retry_After="7"),
    "too many requests": with_status(429),
    "a connection that breaks": hanging_up,
    "a server that is slow": sleeping(8),
    "a portal that answers for all": with_status(200, b"<html>Please log in</html>"),
    "another service": with_status(200, {"ok": True}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_not_be_sent_now_waits_for_the_next_session(project, receiver, fault):
    project.write("test_a.py", ONE)
    receiver.behave = FAULTS[fault]
    begun = time.monotonic()

    done, line = record_and_send(project, **where(receiver, RUNTRAIL_TIMEOUT="2"))

    assert done.returncode == 0
    assert time.monotonic() - begun < 7
    assert line.startswith("runtrail: 1 test kept and sent next time: ")
    (kept,) = project.kept()
    before = kept.read_bytes()

    receiver.behave = lambda handler: False
    _, line = record_and_send(project, **where(receiver))

    assert line.endswith("(and 1 earlier)")
    assert before in receiver.reports
    assert not project.kept()


def test_a_server_that_is_away_costs_nothing_but_a_line(project):
    project.write("test_a.py", ONE)

    done, line = record_and_send(project, RUNTRAIL_URL=unused_address(), RUNTRAIL_TOKEN=TOKEN)

    assert done.returncode == 0
    assert line == "runtrail: 1 test kept and sent next time: Connection refused"
    assert len(project.kept()) == 1


@pytest.mark.parametrize(("status", "text"), [(400, "400"), (401, "401"), (413, "413"), (422, "422")])
def test_what_the_server_will_not_have_is_put_aside_with_the_reason(project, receiver, status, text):
    project.write("test_a.py", ONE)
    receiver.behave = with_status(status)

    done, line = record_and_send(project, **where(receiver))

    assert done.returncode == 0
    assert line.startswith(f"runtrail: 1 test refused: {text}")
    assert not project.kept()
    (aside,) = project.kept("refused")
    assert aside.with_suffix(".reason").read_text().strip().endswith("so it is")


def test_a_token_is_shown_to_no_other_host(project, receiver):
    project.write("test_a.py", ONE)
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    receiver.behave = with_status(307, b"", Location=f"{elsewhere}/api/v1/reports/")

    _, line = record_and_send(project, **where(receiver))

    assert "leads to http://localhost" in line
    assert len(receiver.requests) == 1


def test_a_redirect_on_the_same_host_is_followed_with_the_report(project, receiver):
    project.write("test_a.py", ONE)
    move = with_status(308, b"", Location="/prefix/api/v1/reports/")
    receiver.behave = lambda handler: handler.path.startswith("/api") and move(handler)

    _, line = record_and_send(project, **where(receiver))

    assert line.startswith("runtrail: 1 test sent")
    assert len(receiver.reports) == 1


def test_ctrl_c_ends_a_session_that_waits_for_the_server(project, receiver):
    project.write("test_a.py", ONE)
    receiver.behave = sleeping(8)
    waiting = project.begin(**where(receiver, RUNTRAIL_TIMEOUT="60"))
    until = time.monotonic() + 30
    while not receiver.requests:
        assert time.monotonic() < until
        time.sleep(0.05)
    waiting.send_signal(signal.SIGINT)
    output, _ = waiting.communicate(timeout=5)

    assert waiting.returncode == 0
    assert b"kept and sent next time: interrupted" in output
    assert b"Traceback" not in output


def test_without_an_address_the_report_is_kept(project):
    project.write("test_a.py", ONE)

    _, line = record_and_send(project)

    assert "RUNTRAIL_URL and RUNTRAIL_TOKEN say where to" in line
    assert len(project.kept()) == 1


def test_nothing_collected_at_the_desk_is_no_session(project, receiver):
    _, line = record_and_send(project, **where(receiver))
    _, in_ci = record_and_send(project, **where(receiver, CI="true"))

    assert line == ""
    assert in_ci.startswith("runtrail: 0 tests sent")
    assert receiver.lines()[-1]["exit_code"] == 5


def test_no_secret_leaves_the_machine(project, receiver):
    secret, password = "s3cr3t/Value+1", "hunter2hunter2"
    project.write(
        "test_a.py",
        f"""
        import logging, os, pytest
        def test_a():
            print(os.environ["DEPLOY_TOKEN"])
            logging.warning(os.environ["DATABASE_URL"])
            os.environ["LATE_PASSWORD"] = "set while it runs"
            assert os.environ["DEPLOY_TOKEN"] == "", repr(os.environ) + {TOKEN!r} + "set while it runs"

        @pytest.mark.parametrize("token", [os.environ["DEPLOY_TOKEN"]])
        def test_b(token): pass
        """,
    )
    url = f"postgresql://app:{password}@db/x"

    record_and_send(
        project,
        *("-o", "log_level=INFO", f"--junit-prefix={secret}", "-o", "junit_suite_name=--password=abc"),
        **where(receiver, DEPLOY_TOKEN=secret, DATABASE_URL=url),
    )

    text = receiver.reports[0].decode()
    for hidden in (secret, password, TOKEN, "set while it runs"):
        assert hidden not in text
    assert "***" in text
    assert json.loads(text.splitlines()[1])["output"]
