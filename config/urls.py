"""The map of pages, hooks and admin."""

from django.contrib import admin
from django.urls import include, path

from tracking import hooks

admin.autodiscover()
handler404, handler500 = "config.api.not_found", "config.api.broken"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("config.api")),
    path("hooks/github/", hooks.github, name="hook_github"),
    path("", include("dashboards.urls")),
]
