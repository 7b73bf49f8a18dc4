"""The first system's journey: from one command to the finished run's page, through every kill."""

import re
import signal
import time

import pytest

from tests.journeys.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

STARTED = "🚀 Starting build simulation"


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    product = Product(tmp_path_factory.mktemp("installation") / "data")
    yield product
    product.stop()


def test_one_command_serves_a_live_run(product):
    said = product.start()

    assert f"Runtrail is ready at {product.url}" in said
    assert "A first run is on its way: 34 jobs of performance." in said
    session = product.browser_session()
    first_page = session.get(product.url, timeout=10).text
    test_run_id = product.analysis()["test_run_id"]
    assert test_run_id in first_page
    assert session.get(f"{product.url}/runs/{test_run_id}/", timeout=10).status_code == 200


def test_the_run_survives_the_death_of_worker_and_runner(product):
    product.wait_for(lambda run: run["workflows"]["completed"] >= 4)
    product.kill("celery", "worker")
    product.kill("run_jobs")
    product.wait_for(lambda run: run["workflows"]["completed"] >= 12)
    product.kill("run_jobs")

    run = product.wait_for(lambda run: run["status"] != "running")

    assert run["status"] == "passed", run["reason"]
    assert run["workflows"] == {"total": 34, "completed": 34}
    outputs = [output for output in product.outputs() if f"Job: {run['test_run_id']}" in output]
    assert len(outputs) == 34
    assert all(output.count(STARTED) == 1 for output in outputs)


def test_queueing_was_real_and_the_times_are_those_of_the_processes_own_clocks(product):
    run = product.analysis()
    clocks = re.findall(r"Clock: from ([\d.]+) to ([\d.]+)", "\n".join(product.outputs()))
    own = [float(ended) - float(begun) for begun, ended in clocks]

    assert run["queue"]["n"] == run["execution"]["n"] == 34
    assert run["queue"]["quality"] == "exact"
    assert run["queue_share"] > 0.5, "two at a time, so most of the time is waiting"
    # A process's own clock starts after its interpreter did and stops before it ends.
    assert run["execution"]["mean"] == pytest.approx(sum(own) / 34, abs=0.2)


def test_the_page_of_the_finished_run_says_how_it_went(product):
    test_run_id = product.analysis()["test_run_id"]

    page = product.browser_session().get(f"{product.url}/runs/{test_run_id}/", timeout=10).text

    assert "34 of 34" in page
    assert "passed" in page


def test_a_command_that_is_killed_is_followed_to_its_end_by_the_server(product):
    product.take_few_jobs()
    command = product.begin("run_tests", "-p", "demo", "-e", "aws_ecs", "-t", "few")
    lines = [command.stdout.readline() for _ in range(3)]
    test_run_id = lines[2].removeprefix("Test Run ID: ").strip()
    assert lines[:2] == ["Loading environment: aws_ecs\n", "Starting test profile: few\n"]
    product.wait_for(lambda run: run["workflows"]["completed"] >= 2, "--test-run-id", test_run_id)
    command.kill()
    command.wait()
    command.stdout.close()

    run = product.wait_for(lambda run: run["status"] != "running", "--test-run-id", test_run_id)

    assert run["status"] == "passed", run["reason"]
    mine = [output for output in product.outputs() if f"Job: {test_run_id}" in output]
    assert len(mine) == 8
    assert all(output.count(STARTED) == 1 for output in mine)


def test_a_killed_server_leaves_nothing_behind_and_the_next_goes_on_where_it_stopped(product):
    product.run("run_tests", "-p", "demo", "-e", "local", "-t", "few", "--no-wait")
    run = product.wait_for(lambda run: run["workflows"]["completed"] >= 2)

    product.process.send_signal(signal.SIGKILL)
    product.process.wait()
    time.sleep(3)
    assert product.processes() == []

    begun = time.monotonic()
    product.start()
    assert time.monotonic() - begun < 40, "a second start takes seconds, not the minutes of a first one"
    run = product.wait_for(lambda run: run["status"] != "running", "--test-run-id", run["test_run_id"])
    assert run["status"] == "cancelled", "the two jobs that ran when the server was killed were ended"
    mine = [output for output in product.outputs() if f"Job: {run['test_run_id']}" in output]
    assert len(mine) == 8
    assert all(output.count(STARTED) == 1 for output in mine)


def test_a_run_can_be_cancelled_from_the_shell(product):
    product.run("run_tests", "-p", "demo", "-e", "local", "-t", "performance", "--no-wait")
    run = product.wait_for(lambda run: run["status"] == "running")

    said = product.run("cancel_run", run["test_run_id"]).stdout

    assert f"{run['test_run_id']} ended as cancelled." in said
    again = product.run("cancel_run", run["test_run_id"], check=False)
    assert again.returncode == 1
    assert "has ended already, as cancelled" in again.stderr


def test_the_server_ends_cleanly(product):
    assert product.stop() == 0
    assert product.processes() == []
