"""What CI services tell, as each of them writes it."""

import json

import pytest
from runtrail.context import SERVICES, ci_facts

SHA = "4a5e1f0c2b3d4a5e1f0c2b3d4a5e1f0c2b3d4a5e"
GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "21589120797",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_JOB": "tests",
    "GITHUB_SHA": SHA,
}
CASES = {
    "github push": (
        {
            **GITHUB,
            "GITHUB_REF": "refs/heads/topic/a",
            "GITHUB_REF_NAME": "topic/a",
            "GITHUB_REF_TYPE": "branch",
        },
        {
            "branch": "topic/a",
            "commit": SHA,
            "ci": {
                "provider": "github",
                "job_url": "https://github.com/acme/shop/actions/runs/21589120797",
                "run_id": "21589120797",
                "attempt": "2",
                "job": "tests",
            },
        },
    ),
    "github pull request": (
        {
            **GITHUB,
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_REF_NAME": "7/merge",
            "GITHUB_HEAD_REF": "topic",
        },
        {"branch": "topic", "commit": SHA, "pull_request": "7"},
    ),
    "github tag": (
        {**GITHUB, "GITHUB_REF": "refs/tags/v1", "GITHUB_REF_NAME": "v1", "GITHUB_REF_TYPE": "tag"},
        {"commit": SHA},
    ),
    "gitlab merge request": (
        {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_COMMIT_SHA": SHA,
            "CI_MERGE_REQUEST_IID": "3",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
            "CI_JOB_URL": "https://gitlab.com/acme/shop/-/jobs/9",
            "CI_PIPELINE_ID": "8",
            "CI_JOB_NAME": "tests 1/2",
        },
        {
            "branch": "topic",
            "commit": SHA,
            "pull_request": "3",
            "ci": {
                "provider": "gitlab",
                "job_url": "https://gitlab.com/acme/shop/-/jobs/9",
                "run_id": "8",
                "job": "tests 1/2",
            },
        },
    ),
    "gitlab branch": ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main"}, {"branch": "main"}),
    "jenkins pull request": (
        {
            "JENKINS_URL": "https://ci.example.org/",
            "BRANCH_NAME": "PR-7",
            "CHANGE_BRANCH": "topic",
            "CHANGE_ID": "7",
            "GIT_COMMIT": SHA,
            "BUILD_URL": "https://ci.example.org/job/shop/12/",
            "BUILD_TAG": "jenkins-shop-12",
            "JOB_NAME": "shop/PR-7",
        },
        {
            "branch": "topic",
            "commit": SHA,
            "pull_request": "7",
            "ci": {
                "provider": "jenkins",
                "job_url": "https://ci.example.org/job/shop/12/",
                "run_id": "jenkins-shop-12",
                "job": "shop/PR-7",
            },
        },
    ),
    "jenkins freestyle": ({"JENKINS_URL": "x", "GIT_BRANCH": "origin/main"}, {"branch": "main"}),
    "circleci": (
        {
            "CI": "true",
            "CIRCLECI": "true",
            "CIRCLE_BRANCH": "topic",
            "CIRCLE_SHA1": SHA,
            "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/5",
            "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/shop/6",
            "CIRCLE_WORKFLOW_ID": "w-1",
            "CIRCLE_JOB": "tests",
        },
        {
            "branch": "topic",
            "commit": SHA,
            "pull_request": "5",
            "ci": {
                "provider": "circleci",
                "job_url": "https://circleci.com/gh/acme/shop/6",
                "run_id": "w-1",
                "job": "tests",
            },
        },
    ),
    "travis push": (
        {
            "CI": "true",
            "TRAVIS": "true",
            "TRAVIS_BRANCH": "main",
            "TRAVIS_COMMIT": SHA,
            "TRAVIS_PULL_REQUEST": "false",
            "TRAVIS_BUILD_ID": "4",
            "TRAVIS_JOB_NUMBER": "4.1",
        },
        {"branch": "main", "commit": SHA, "ci": {"provider": "travis", "run_id": "4", "job": "4.1"}},
    ),
    "travis pull request": (
        {
            "TRAVIS": "true",
            "TRAVIS_BRANCH": "main",
            "TRAVIS_PULL_REQUEST_BRANCH": "topic",
            "TRAVIS_PULL_REQUEST": "9",
            "TRAVIS_PULL_REQUEST_SHA": SHA,
            "TRAVIS_COMMIT": "0" * 40,
        },
        {"branch": "topic", "commit": SHA, "pull_request": "9"},
    ),
    "azure": (
        {
            "TF_BUILD": "True",
            "BUILD_SOURCEBRANCH": "refs/heads/topic/a",
            "BUILD_SOURCEVERSION": SHA,
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
            "SYSTEM_TEAMPROJECT": "shop",
            "BUILD_BUILDID": "11",
            "SYSTEM_JOBATTEMPT": "1",
            "SYSTEM_JOBDISPLAYNAME": "Linux",
        },
        {
            "branch": "topic/a",
            "commit": SHA,
            "ci": {
                "provider": "azure",
                "job_url": "https://dev.azure.com/acme/shop/_build/results?buildId=11",
                "run_id": "11",
                "attempt": "1",
                "job": "Linux",
            },
        },
    ),
    "buildkite": (
        {
            "BUILDKITE": "true",
            "BUILDKITE_BRANCH": "main",
            "BUILDKITE_COMMIT": "HEAD",
            "BUILDKITE_PULL_REQUEST": "false",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/shop/builds/1",
            "BUILDKITE_BUILD_ID": "b-1",
            "BUILDKITE_LABEL": "tests",
        },
        {
            "branch": "main",
            "ci": {
                "provider": "buildkite",
                "job_url": "https://buildkite.com/acme/shop/builds/1",
                "run_id": "b-1",
                "job": "tests",
            },
        },
    ),
    "bitbucket": (
        {
            "BITBUCKET_BUILD_NUMBER": "5",
            "BITBUCKET_BRANCH": "topic",
            "BITBUCKET_COMMIT": SHA,
            "BITBUCKET_PR_ID": "2",
            "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/acme/shop",
        },
        {
            "branch": "topic",
            "commit": SHA,
            "pull_request": "2",
            "ci": {
                "provider": "bitbucket",
                "job_url": "https://bitbucket.org/acme/shop/pipelines/results/5",
                "run_id": "5",
            },
        },
    ),
    "teamcity": (
        {
            "TEAMCITY_VERSION": "2024.1",
            "BUILD_VCS_NUMBER": SHA,
            "BUILD_NUMBER": "3",
            "TEAMCITY_BUILDCONF_NAME": "T",
        },
        {"commit": SHA, "ci": {"provider": "teamcity", "run_id": "3", "job": "T"}},
    ),
    "drone": (
        {
            "CI": "true",
            "DRONE": "true",
            "DRONE_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "topic",
            "DRONE_COMMIT_SHA": SHA,
            "DRONE_PULL_REQUEST": "6",
            "DRONE_BUILD_LINK": "https://drone.example.org/acme/shop/2",
            "DRONE_BUILD_NUMBER": "2",
            "DRONE_STEP_NAME": "tests",
        },
        {
            "branch": "topic",
            "commit": SHA,
            "pull_request": "6",
            "ci": {
                "provider": "drone",
                "job_url": "https://drone.example.org/acme/shop/2",
                "run_id": "2",
                "job": "tests",
            },
        },
    ),
    "woodpecker": (
        {
            "CI": "woodpecker",
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_SHA": SHA,
            "CI_STEP_URL": "https://ci.example.org/repos/1/pipeline/4/2",
            "CI_PIPELINE_NUMBER": "4",
            "CI_STEP_NAME": "tests",
        },
        {
            "branch": "main",
            "commit": SHA,
            "ci": {
                "provider": "woodpecker",
                "job_url": "https://ci.example.org/repos/1/pipeline/4/2",
                "run_id": "4",
                "job": "tests",
            },
        },
    ),
    "appveyor": (
        {
            "APPVEYOR": "True",
            "APPVEYOR_URL": "https://ci.appveyor.com",
            "APPVEYOR_ACCOUNT_NAME": "acme",
            "APPVEYOR_PROJECT_SLUG": "shop",
            "APPVEYOR_BUILD_ID": "8",
            "APPVEYOR_JOB_ID": "j1",
            "APPVEYOR_REPO_BRANCH": "main",
            "APPVEYOR_REPO_COMMIT": SHA,
        },
        {
            "branch": "main",
            "commit": SHA,
            "ci": {
                "provider": "appveyor",
                "job_url": "https://ci.appveyor.com/project/acme/shop/builds/8/job/j1",
                "run_id": "8",
                "job": "j1",
            },
        },
    ),
    "some other service": ({"CI": "true"}, {"ci": {"provider": "unknown"}}),
}


@pytest.mark.parametrize("name", CASES)
def test_each_service_is_understood(name):
    environment, expected = CASES[name]

    found = ci_facts(environment)

    if "ci" not in expected:
        found = {key: value for key, value in found.items() if key != "ci"}
    assert found == expected


def test_every_service_has_a_case():
    tried = {ci_facts(environment)["ci"]["provider"] for environment, _ in CASES.values()}

    assert tried == {provider for _, provider, _ in SERVICES} | {"unknown"}


def test_a_pull_request_counts_as_its_head_not_as_the_merge_that_was_checked_out(tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "f" * 40}}}))

    found = ci_facts({**GITHUB, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_PATH": str(event)})

    assert found["commit"] == "f" * 40


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pull_request": null}'])
def test_an_event_without_a_head_leaves_the_commit(tmp_path, text):
    event = tmp_path / "event.json"
    event.write_text(text)

    assert ci_facts({**GITHUB, "GITHUB_EVENT_PATH": str(event)})["commit"] == SHA


@pytest.mark.parametrize("environment", [{}, {"CI": ""}, {"CI": "false"}, {"CI": "0"}])
def test_a_desk_is_no_service(environment):
    assert ci_facts(environment) == {}
