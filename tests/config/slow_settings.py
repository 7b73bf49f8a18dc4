"""The product's settings with a task that takes long and says in a file when it began and ended."""

from config.settings import *  # noqa: F403

CELERY_IMPORTS = ["tests.config.slow_task"]
