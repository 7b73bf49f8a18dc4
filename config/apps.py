"""The apps of the wires: the commands of the supervisor, and the admin."""

import sys

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConfigConfig(AppConfig):
    """An app so that the supervisor's command is found; it owns no table."""

    name = "config"
    default = True


class AdminConfig(SimpleAdminConfig):
    """The admin, whose screens are imported with the URLs: importing them is a sixth of a command's start."""

    default = False

    def ready(self) -> None:
        super().ready()
        if sys.argv[1:2] == ["check"]:  # which looks at what is registered, and not at the URLs first
            from django.contrib import admin  # needs the models, which are there by now

            admin.autodiscover()
