"""The product's settings, with what tests need different."""

import os
import tempfile

os.environ.setdefault("RUNTRAIL_DATA", tempfile.mkdtemp(prefix="runtrail-tests-"))

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STATIC_ROOT, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DATABASES["default"]["CONN_MAX_AGE"] = 0
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
STATIC_ROOT.mkdir(exist_ok=True)  # nothing is collected in tests, and WhiteNoise wants its folder
