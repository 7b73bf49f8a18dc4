from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from access.models import ApiToken, Membership, Project, Role, User
from access.permissions import demand, may
from access.projects import UnknownProject, project_named

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 4, 9, tzinfo=UTC)


def make_member(role=None):
    project = Project.objects.create(slug="shop", name="Shop")
    user = User.objects.create_user("ada")
    if role:
        Membership.objects.create(user=user, project=project, role=role)
    return user, project


@pytest.mark.parametrize("own", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_includes_the_ones_before_it(own, needed):
    user, project = make_member(own)

    assert may(user, project, needed) == (list(Role).index(own) >= list(Role).index(needed))


def test_to_a_stranger_there_is_nothing_here():
    user, project = make_member()

    with pytest.raises(Http404):
        demand(user, project, Role.VIEWER)


def test_a_member_with_too_small_a_role_is_told_so():
    user, project = make_member(Role.VIEWER)

    with pytest.raises(PermissionDenied, match="You are viewer of shop; this needs reporter"):
        demand(user, project, Role.REPORTER)


def test_somebody_who_left_may_do_nothing():
    user, project = make_member(Role.ADMINISTRATOR)
    user.is_active = False

    assert not may(user, project, Role.VIEWER)


@pytest.mark.parametrize(
    ("slugs", "asked", "found"),
    [
        (["default", "shop"], None, "default"),
        (["shop"], None, "shop"),
        (["default", "shop"], "shop", "shop"),
    ],
)
def test_without_a_name_the_default_project_is_meant_or_the_only_one(slugs, asked, found):
    for slug in slugs:
        Project.objects.create(slug=slug, name=slug)

    assert project_named(asked).slug == found


@pytest.mark.parametrize(
    ("slugs", "asked", "words"),
    [
        ([], None, "There is no project yet. `load_profiles FILE` makes"),
        (["a", "b"], None, "a, b"),
        (["a"], "c", "no project 'c'"),
    ],
)
def test_an_unclear_project_is_an_error_that_names_what_there_is(slugs, asked, words):
    for slug in slugs:
        Project.objects.create(slug=slug, name=slug)

    with pytest.raises(UnknownProject, match=words):
        project_named(asked)


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"expires_at": NOW + timedelta(seconds=1)}, True),
        ({"expires_at": NOW}, False),
        ({"revoked_at": NOW - timedelta(days=1)}, False),
    ],
)
def test_a_token_opens_the_door_until_it_expires_or_is_revoked(fields, valid):
    _, project = make_member()
    token = ApiToken.objects.create(project=project, name="ci", prefix="rt_abc", digest="0" * 64, **fields)

    assert token.is_valid(NOW) is valid
    assert ApiToken.objects.valid(NOW).exists() is valid
