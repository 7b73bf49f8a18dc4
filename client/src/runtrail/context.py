"""Where a session runs: machine, CI service, branch, commit, tree."""

from __future__ import annotations

import json
import platform
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Environment = Mapping[str, str]


def github(env: Environment) -> dict[str, str]:
    pull = re.fullmatch(r"refs/pull/(\d+)/\w+", env.get("GITHUB_REF", ""))
    place = f"{env.get('GITHUB_SERVER_URL')}/{env.get('GITHUB_REPOSITORY')}"
    run = f"{place}/actions/runs/{env.get('GITHUB_RUN_ID')}"
    is_branch = env.get("GITHUB_REF_TYPE", "branch") == "branch"
    return {
        "branch": env.get("GITHUB_HEAD_REF")
        or (env.get("GITHUB_REF_NAME", "") if is_branch and not pull else ""),
        # Of a pull request GITHUB_SHA is a merge that nobody made; its list of runs names the head.
        "commit": _pull_request_head(env.get("GITHUB_EVENT_PATH", "")) or env.get("GITHUB_SHA", ""),
        "pull_request": pull[1] if pull else "",
        "job_url": run if env.get("GITHUB_RUN_ID") else "",
        "run_id": env.get("GITHUB_RUN_ID", ""),
        "attempt": env.get("GITHUB_RUN_ATTEMPT", ""),
        "job": env.get("GITHUB_JOB", ""),
    }


def _pull_request_head(path: str) -> str:
    if not path:
        return ""
    try:
        with Path(path).open(encoding="utf-8") as file:
            return str(json.load(file)["pull_request"]["head"]["sha"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def azure(env: Environment) -> dict[str, str]:
    collection, project = env.get("SYSTEM_COLLECTIONURI", ""), env.get("SYSTEM_TEAMPROJECT", "")
    build = env.get("BUILD_BUILDID", "")
    branch = env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH") or env.get("BUILD_SOURCEBRANCH", "")
    return {
        "branch": re.sub(r"^refs/heads/", "", branch),
        "commit": env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or env.get("BUILD_SOURCEVERSION", ""),
        "pull_request": env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        or env.get("SYSTEM_PULLREQUEST_PULLREQUESTID", ""),
        "job_url": f"{collection}{project}/_build/results?buildId={build}" if collection and build else "",
        "run_id": build,
        "attempt": env.get("SYSTEM_JOBATTEMPT", ""),
        "job": env.get("SYSTEM_JOBDISPLAYNAME", ""),
    }


def jenkins(env: Environment) -> dict[str, str]:
    return {
        # A pull request's build is on the branch PR-7; what it merges is the change's branch.
        "branch": re.sub(
            r"^origin/", "", env.get("CHANGE_BRANCH") or env.get("BRANCH_NAME") or env.get("GIT_BRANCH", "")
        ),
        **named(
            env,
            commit="GIT_COMMIT",
            pull_request="CHANGE_ID",
            job_url="BUILD_URL",
            run_id="BUILD_TAG",
            job="JOB_NAME",
        ),
    }


def bitbucket(env: Environment) -> dict[str, str]:
    origin, number = env.get("BITBUCKET_GIT_HTTP_ORIGIN", ""), env.get("BITBUCKET_BUILD_NUMBER", "")
    return {
        **named(env, branch="BITBUCKET_BRANCH", commit="BITBUCKET_COMMIT", pull_request="BITBUCKET_PR_ID"),
        "job_url": f"{origin}/pipelines/results/{number}" if origin and number else "",
        "run_id": number,
        "job": env.get("BITBUCKET_STEP_UUID", ""),
    }


def appveyor(env: Environment) -> dict[str, str]:
    place = "/".join([env.get("APPVEYOR_ACCOUNT_NAME", ""), env.get("APPVEYOR_PROJECT_SLUG", "")])
    job = env.get("APPVEYOR_JOB_ID", "")
    url = f"{env.get('APPVEYOR_URL', '')}/project/{place}/builds/{env.get('APPVEYOR_BUILD_ID')}/job/{job}"
    return {
        "branch": env.get("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH") or env.get("APPVEYOR_REPO_BRANCH", ""),
        "commit": env.get("APPVEYOR_PULL_REQUEST_HEAD_COMMIT") or env.get("APPVEYOR_REPO_COMMIT", ""),
        "pull_request": env.get("APPVEYOR_PULL_REQUEST_NUMBER", ""),
        "job_url": url if env.get("APPVEYOR_URL") and job else "",
        "run_id": env.get("APPVEYOR_BUILD_ID", ""),
        "job": job,
    }


def named(env: Environment, **names: str) -> dict[str, str]:
    """Facts that variables hold as they are; several names for one fact stand with `|` between them."""
    return {
        fact: next((env[name] for name in variables.split("|") if env.get(name)), "")
        for fact, variables in names.items()
    }


def circleci(env: Environment) -> dict[str, str]:
    facts = named(
        env, branch="CIRCLE_BRANCH", commit="CIRCLE_SHA1", job_url="CIRCLE_BUILD_URL", job="CIRCLE_JOB"
    )
    pull = env.get("CIRCLE_PR_NUMBER") or env.get("CIRCLE_PULL_REQUEST", "").rpartition("/")[2]
    run_id = env.get("CIRCLE_WORKFLOW_ID") or env.get("CIRCLE_BUILD_NUM", "")
    return {**facts, "pull_request": pull, "run_id": run_id}


def _by_name(**names: str) -> Callable[[Environment], dict[str, str]]:
    return lambda env: named(env, **names)


# The variable (or the value of one) that gives a service away, its name, and how its facts are read.
# Those that set the variables of others as well stand before them.
SERVICES: list[tuple[str, str, Callable[[Environment], dict[str, str]]]] = [
    ("GITHUB_ACTIONS", "github", github),
    (
        "GITLAB_CI",
        "gitlab",
        _by_name(
            branch="CI_MERGE_REQUEST_SOURCE_BRANCH_NAME|CI_COMMIT_BRANCH",
            commit="CI_MERGE_REQUEST_SOURCE_BRANCH_SHA|CI_COMMIT_SHA",
            pull_request="CI_MERGE_REQUEST_IID",
            job_url="CI_JOB_URL",
            run_id="CI_PIPELINE_ID",
            job="CI_JOB_NAME",
        ),
    ),
    ("CIRCLECI", "circleci", circleci),
    ("TF_BUILD", "azure", azure),
    (
        "BUILDKITE",
        "buildkite",
        _by_name(
            branch="BUILDKITE_BRANCH",
            commit="BUILDKITE_COMMIT",
            pull_request="BUILDKITE_PULL_REQUEST",
            job_url="BUILDKITE_BUILD_URL",
            run_id="BUILDKITE_BUILD_ID",
            attempt="BUILDKITE_RETRY_COUNT",
            job="BUILDKITE_LABEL|BUILDKITE_STEP_KEY|BUILDKITE_JOB_ID",
        ),
    ),
    ("BITBUCKET_BUILD_NUMBER", "bitbucket", bitbucket),
    ("APPVEYOR", "appveyor", appveyor),
    (
        "TRAVIS",
        "travis",
        _by_name(
            branch="TRAVIS_PULL_REQUEST_BRANCH|TRAVIS_BRANCH",
            commit="TRAVIS_PULL_REQUEST_SHA|TRAVIS_COMMIT",
            pull_request="TRAVIS_PULL_REQUEST",
            job_url="TRAVIS_JOB_WEB_URL",
            run_id="TRAVIS_BUILD_ID",
            job="TRAVIS_JOB_NAME|TRAVIS_JOB_NUMBER",
        ),
    ),
    (
        "TEAMCITY_VERSION",
        "teamcity",
        _by_name(
            branch="BRANCH_NAME",
            commit="BUILD_VCS_NUMBER",
            job_url="BUILD_URL",
            run_id="BUILD_NUMBER",
            job="TEAMCITY_BUILDCONF_NAME",
        ),
    ),
    (
        "CI=woodpecker",
        "woodpecker",
        _by_name(
            branch="CI_COMMIT_SOURCE_BRANCH|CI_COMMIT_BRANCH",
            commit="CI_COMMIT_SHA",
            pull_request="CI_COMMIT_PULL_REQUEST",
            job_url="CI_STEP_URL|CI_PIPELINE_URL",
            run_id="CI_PIPELINE_NUMBER",
            job="CI_STEP_NAME",
        ),
    ),
    (
        "DRONE",
        "drone",
        _by_name(
            branch="DRONE_SOURCE_BRANCH|DRONE_BRANCH",
            commit="DRONE_COMMIT_SHA",
            pull_request="DRONE_PULL_REQUEST",
            job_url="DRONE_BUILD_LINK",
            run_id="DRONE_BUILD_NUMBER",
            job="DRONE_STEP_NAME",
        ),
    ),
    ("JENKINS_URL", "jenkins", jenkins),
]
_NOT_SET = {"", "false", "0", "head"}  # what services write where there is no pull request


def ci_facts(env: Environment) -> dict[str, Any]:
    """Return branch, commit, pull_request and ci of the CI service that this process runs on.

    An empty dict means that no service was recognized; a bare CI=true is the provider `unknown`.
    """
    for sign, provider, read in SERVICES:
        variable, _, value = sign.partition("=")
        if (env.get(variable) == value) if value else (env.get(variable, "").lower() not in _NOT_SET):
            facts = {key: value for key, value in read(env).items() if value.lower() not in _NOT_SET}
            shown = ("branch", "commit", "pull_request")
            ci = {"provider": provider, **{key: value for key, value in facts.items() if key not in shown}}
            return {**{key: facts[key] for key in shown if key in facts}, "ci": ci}
    return {"ci": {"provider": "unknown"}} if env.get("CI", "").lower() not in _NOT_SET else {}


def machine_facts() -> dict[str, str]:
    return {
        "platform": "-".join([platform.system(), platform.release(), platform.machine()]),
        "python_version": platform.python_version(),
        "host": socket.gethostname(),
    }
