from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """An app so that the supervisor's command is found; it owns no table."""

    name = "config"
