"""The map of pages.  Every view carries its rule; docs/roles.md is made from this map."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from access.permissions import EVERYBODY, open_to
from dashboards.views import ci, definitions, github, health, overview, run, runs, settings, workflows

login = LoginView.as_view(template_name="login.html", redirect_authenticated_user=True)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<str:test_run_id>/", run.run, name="run"),
    path("runs/<str:test_run_id>/tracking/", run.tracking, name="run_tracking"),
    path("runs/<str:test_run_id>/cancel/", run.cancel, name="run_cancel"),
    path("runs/<str:test_run_id>/rerun/", run.rerun, name="run_rerun"),
    path("runs/<str:test_run_id>/workflows/<int:position>/", workflows.workflow, name="workflow"),
    path("runs/<str:test_run_id>/workflows/<int:position>/output/", workflows.output, name="workflow_output"),
    path("ci/", ci.ci, name="ci"),
    path("definitions/", definitions.definitions, name="definitions"),
    path("definitions/<str:name>/", definitions.definition, name="definition"),
    path("definitions/<str:name>/start/", definitions.start, name="definition_start"),
    path("settings/", settings.settings, name="settings"),
    path("settings/time-zone/", settings.time_zone, name="time_zone"),
    path("settings/<str:slug>/members/", settings.add_member, name="add_member"),
    path("settings/<str:slug>/members/<int:pk>/", settings.change_member, name="change_member"),
    path("settings/<str:slug>/github/", github.github, name="github_settings"),
    path("settings/<str:slug>/github/check/", github.check_connection, name="check_connection"),
    path("project/", settings.choose_project, name="choose_project"),
    path("login/", open_to(EVERYBODY)(login), name="login"),
    path("logout/", open_to(EVERYBODY)(LogoutView.as_view()), name="logout"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
