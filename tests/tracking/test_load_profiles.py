"""Profiles in version control: applied twice they change nothing, and every fault has its line."""

from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from access.models import AuditEntry, Project
from tracking.models import Environment, TestDefinition
from tracking.profile_file import FaultyProfile, read_profile

pytestmark = pytest.mark.django_db
CONTRACT = """\
[project]
slug = "shop"
repository = "acme/shop"            # owner/name on GitHub
default_branch = "main"

[environments.aws_ecs]
kind = "staging"
service = "github"
ref = "main"
inputs = { region = "us-east-1" }

[definitions.performance]
test_type = "performance"
timeout = 3600

[[definitions.performance.steps]]
workflow = "build_job.yml"
command = ["python", "demo/build_job.py", "--workload", "standard"]
count = 34
inputs = { workload_type = "standard" }
start_after = 0
spacing = 0.5
at_most = 10
"""
SERVICES = ["github", "local"]


@pytest.fixture
def load(tmp_path, capsys):
    file = tmp_path / "runtrail.toml"

    def apply(text, *arguments):
        file.write_text(text)
        call_command("load_profiles", str(file), *arguments)
        return capsys.readouterr().out

    apply.folder = str(tmp_path)
    return apply


def test_a_new_project_is_made_as_the_file_says(load):
    said = load(CONTRACT)

    assert "+ project shop" in said
    project = Project.objects.get(slug="shop")
    assert (project.repository, project.environments.count()) == ("acme/shop", 6)
    place = project.environments.get(name="aws-ecs")
    assert (place.kind, place.service, place.inputs) == ("staging", "github", {"region": "us-east-1"})
    definition = project.definitions.get()
    assert (definition.folder, definition.is_from_shell, definition.version) == (load.folder, True, 1)
    (step,) = definition.steps.all()
    assert (step.count, step.spacing, step.at_most) == (34, 0.5, 10)
    assert AuditEntry.objects.get(action="profile.load").project == project


def test_applied_twice_it_changes_nothing(load):
    load(CONTRACT)

    assert "nothing changes" in load(CONTRACT)
    assert TestDefinition.objects.get().version == 1


def test_a_change_is_shown_before_it_is_made(load):
    load(CONTRACT)
    changed = CONTRACT.replace("count = 34", "count = 20").replace('ref = "main"', 'ref = "next"')

    shown = load(changed, "--dry-run")
    assert TestDefinition.objects.get().steps.get().count == 34
    applied = load(changed)

    assert "step 1: count 34 → 20" in shown
    assert "environment aws-ecs: ref 'main' → 'next'" in shown
    assert shown.splitlines()[:-1] == applied.splitlines()[:-1]
    definition = TestDefinition.objects.get()
    assert (definition.version, definition.steps.get().count) == (2, 20)


def test_what_the_file_does_not_name_stays(load):
    load(CONTRACT)
    Environment.objects.filter(name="aws-ecs").update(ref="mine")

    load('[project]\nslug = "shop"\n')

    assert Environment.objects.get(name="aws-ecs").ref == "mine"
    assert TestDefinition.objects.get().steps.count() == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count = 34", "count = 0", "line 19: definitions.performance.steps.0.count must be a whole number"),
        ("count = 34", 'count = "x"', "line 19: definitions.performance.steps.0.count must be"),
        ("spacing = 0.5", "spaceing = 0.5", "line 22: definitions.performance.steps.0.spaceing is unknown"),
        ('kind = "staging"', 'kind = "moon"', "line 7: environments.aws_ecs.kind must be one of dev"),
        ('service = "github"', 'service = "gitlab"', "line 8: environments.aws_ecs.service is unknown"),
        ('slug = "shop"', 'slug = "My Shop"', "line 2: project.slug may have small letters"),
        ('slug = "shop"\n', "", "line 1: project.slug is missing"),
        ('repository = "acme/shop"', 'repository = "acme"', "line 3: project.repository must be owner/name"),
        ('repository = "acme/shop"', 'repository = "../.."', "line 3: project.repository must be owner/name"),
        ("[definitions.performance]", "[definitions.Perf_X]", "definitions.Perf_X may have small letters"),
        ('command = ["python"', "command = [1", "line 18: definitions.performance.steps.0.command must be"),
        ("region = ", "region = 5, x = ", "line 10: environments.aws_ecs.inputs must be a table of texts"),
        (
            "[definitions.performance]",
            "[environments.aws-ecs]\n[definitions.performance]",
            "line 12: environments",
        ),
        ("timeout = 3600", "timeout = ", "This is no TOML"),
    ],
)
def test_every_fault_is_named_with_its_line_and_nothing_is_stored(load, old, new, told):
    assert old in CONTRACT

    with pytest.raises(CommandError) as caught:
        load(CONTRACT.replace(old, new, 1))

    assert told in str(caught.value)
    assert not Project.objects.filter(slug="shop").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('kind = "suit"', "definitions.performance.kind must be one of workflows, suite"),
        ('kind = "suite"', "definitions.performance.command is missing: what runs the suite"),
        ('kind = "suite"\ncommand = ["x"]', "definitions.performance.steps is unknown here"),
        ('expected = ["a"]', "definitions.performance.expected is unknown here"),
        ('kind = "suite"\ncommand = ["x"]\nexpected = "a"', "expected must be a list of texts"),
    ],
)
def test_a_suite_has_a_command_and_nothing_else_has_what_only_it_has(load, line, told):
    with pytest.raises(CommandError) as caught:
        load(CONTRACT.replace('test_type = "performance"', f'test_type = "performance"\n{line}'))

    assert told in str(caught.value)


def test_all_faults_are_told_at_once(load):
    with pytest.raises(CommandError) as caught:
        load(CONTRACT.replace("count = 34", "count = 0").replace('"staging"', '"moon"'))

    assert str(caught.value).count("line ") == 2


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='[]"=.#{}\n abps1_-', max_size=80))
def test_garbage_is_refused_and_never_breaks(text):
    with suppress(FaultyProfile):
        assert read_profile(text, services=SERVICES).slug


def test_steps_typed_into_a_page_get_no_trust_from_a_file_that_says_nothing_of_them(load):
    load(CONTRACT)
    definition = TestDefinition.objects.get(project__slug="shop")
    definition.steps.update(command=["sh", "-c", "typed into a page"])
    TestDefinition.objects.update(is_from_shell=False)
    silent = CONTRACT.partition("[[definitions.performance.steps]]")[0]

    said = load(silent.replace("3600", "1800"))

    definition.refresh_from_db()
    assert definition.timeout == 1800
    assert not definition.is_from_shell
    assert "is_from_shell" not in said
    assert "is_from_shell False → True" in load(CONTRACT)
