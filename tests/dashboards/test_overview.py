from datetime import timedelta

from django.utils import timezone

from tests.factories import make_ended_run, make_run, make_workflow


def test_an_empty_project_shows_three_steps_with_commands(client, viewer):
    page = client.get("/").content.decode()

    assert "Three steps" in page
    assert "bin/runtrail run_tests -p demo -e local -t performance" in page


def test_the_sentence_comes_first(client, viewer):
    now = timezone.now()
    make_ended_run("failed", started_at=now - timedelta(hours=2), reason="build_job #1 failed (exit code 1)")
    make_ended_run("failed", started_at=now - timedelta(days=5), reason="too old to be shown")
    run = make_run(started_at=now - timedelta(seconds=60))
    for _ in range(4):
        make_workflow(run)
    make_workflow(run, "", status="queued", queue=None)

    page = client.get("/").content.decode()

    assert (
        "1 run is going; 1 ended badly since yesterday; queueing took 40 % of the time, usually 40 %." in page
    )
    assert "4/5" in page
    assert "left" in page
    assert "build_job #1 failed (exit code 1)" in page
    assert "too old to be shown" not in page
