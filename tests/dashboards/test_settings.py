import pytest

from access.models import AuditEntry, Membership, User
from tests.factories import make_project, make_user


def test_everybody_chooses_their_time_zone(client, viewer):
    answer = client.post("/settings/time-zone/", {"time_zone": "Asia/Kolkata"}, follow=True)

    assert User.objects.get(pk=viewer.pk).time_zone == "Asia/Kolkata"
    assert "Asia/Kolkata (UTC+5:30)" in answer.content.decode()


def test_an_unknown_time_zone_is_refused(client, viewer):
    answer = client.post("/settings/time-zone/", {"time_zone": "Mars/Olympus"})

    assert answer.status_code == 400
    assert "There is no time zone" in answer.content.decode()


def test_an_administrator_adds_changes_and_removes_members(client, administrator):
    make_user("bob")

    client.post("/settings/demo/members/", {"username": "bob", "role": "viewer"})
    member = Membership.objects.get(user__username="bob")
    client.post(f"/settings/demo/members/{member.pk}/", {"role": "reporter"})

    member.refresh_from_db()
    assert member.role == "reporter"
    client.post(f"/settings/demo/members/{member.pk}/", {"role": ""})
    assert not Membership.objects.filter(user__username="bob").exists()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "member.add",
        "member.change",
        "member.change",
    ]


@pytest.mark.parametrize("role", ["viewer", ""])
def test_the_last_administrator_stays(client, administrator, role):
    member = Membership.objects.get(user=administrator)

    answer = client.post(f"/settings/demo/members/{member.pk}/", {"role": role}, follow=True)

    assert "is the only administrator" in answer.content.decode()
    assert Membership.objects.get(user=administrator).role == "administrator"


@pytest.mark.parametrize(
    ("name", "message"), [("nobody", "There is no user"), ("anna", "is a member already")]
)
def test_who_cant_be_added_is_said(client, administrator, name, message):
    answer = client.post("/settings/demo/members/", {"username": name, "role": "viewer"})

    assert answer.status_code == 400
    assert message in answer.content.decode()


def test_the_project_can_be_switched_and_leads_only_to_our_own_pages(client, viewer):
    make_user("vera", role="viewer", project=make_project("second"))

    client.post("/project/", {"project": "second"})
    page = client.get("/runs/")
    answer = client.post("/project/", {"project": "demo", "next": "https://example.org/"})

    assert page.context["project"].slug == "second"
    assert answer["Location"] == "/"


def test_a_project_of_others_cant_be_chosen(client, viewer):
    make_project("other")

    assert client.post("/project/", {"project": "other"}).status_code == 404


def test_who_is_in_no_project_is_told_what_to_do(client, project):
    client.force_login(make_user("newcomer"))

    page = client.get("/")

    assert page.status_code == 403
    assert b"Ask an administrator" in page.content
    assert client.get("/settings/").status_code == 200
