"""The product's settings, with what tests need different."""

import os
import tempfile

if "RUNTRAIL_DATA" not in os.environ:
    # Removed at this process's end.  What the suite starts gets a folder of its own.
    _FOLDER = tempfile.TemporaryDirectory(prefix="runtrail-tests-", ignore_cleanup_errors=True)
    os.environ["RUNTRAIL_DATA"] = _FOLDER.name

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STATIC_ROOT, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DATABASES["default"]["CONN_MAX_AGE"] = 0
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
STATIC_ROOT.mkdir(exist_ok=True)  # nothing is collected in tests, and WhiteNoise wants its folder
