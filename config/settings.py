"""Settings, read from top to bottom; every difference between machines comes from the environment.

docs/configuration.md has one heading per variable, and tests/test_docs.py compares the two lists.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly
import structlog

from config import beat, env, load, logs, places, rest

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = env.folder("RUNTRAIL_DATA", BASE_DIR / ".data")

# Core
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY") or places.kept_secret(DATA / "secret_key")
SALT_KEY = "runtrail.encrypted-fields"  # with SECRET_KEY it makes the key of encrypted fields
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "config",
    "access",
    "tracking",
    "executions",
    "performance",
    "batches",
    "dashboards",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_filters",
    "import_export",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "config.probes.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "access.middleware.NoNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "access.middleware.RequestContextMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: SQLite unless DATABASE_URL names another; what SQLite needs for several writers is set here.
# RUNTRAIL_DB stands for a command's --db, and is kept from the processes that a command starts.
DATABASES = {
    "default": env.other_database("RUNTRAIL_DB") or env.database("DATABASE_URL", DATA / "db.sqlite3")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Deferred transactions that turn into writers fail at once with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# People
AUTH_USER_MODEL = "access.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "overview", "login"

# Language and time: everything is stored in UTC; pages show the reader's zone and say which.
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Cache and broker: one Redis-compatible server, embedded unless REDIS_URL names another.
SOCKETS = places.socket_folder(DATA)
EMBEDDED_REDIS = not env.secret("REDIS_URL")
REDIS_URL = env.redis("REDIS_URL", f"unix://{SOCKETS}/valkey.sock")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# The API
REST_FRAMEWORK = rest.framework(per_minute=env.number("RUNTRAIL_API_PER_MINUTE", 600, minimum=1))
SPECTACULAR_SETTINGS = rest.DESCRIPTION
REPORT_BYTES = env.number("RUNTRAIL_REPORT_BYTES", 1 << 30, minimum=1)  # unpacked
REPORT_AT_ONCE = env.number("RUNTRAIL_REPORT_AT_ONCE", 64 << 20, minimum=1)
RESULT_MONTHS = env.number("RUNTRAIL_RESULT_MONTHS", 0, minimum=0)
REPORT_CASES = env.number("RUNTRAIL_REPORT_CASES", 0, minimum=0) or (
    200_000 if DATABASES["default"]["ENGINE"].endswith("sqlite3") else None
)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task; the supervisor gives a killed worker's work back at once, whatever this says.
    "visibility_timeout": 6 * 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A publisher that finds no broker says so at once; the sweep does the rest.
    "max_retries": 0,
    "interval_start": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 20,
}
CELERY_TASK_PUBLISH_RETRY = False  # the row is the event: what can't be told now, the sweep finds
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # every task is safe to repeat
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = beat.TIMETABLE
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # seconds; the timetable has entries every few seconds
# Queues by kind of work: dispatch, follow, ingest, local, load, host.<name>.
CELERY_TASK_DEFAULT_QUEUE = "follow"
CELERY_TASK_ROUTES = beat.ROUTES | load.ROUTES
CELERY_TASK_CREATE_MISSING_QUEUES = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    ("vendor/plotly", Path(plotly.__file__).parent / "package_data"),
]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA / "files"},
    },
    "artifacts": places.artifacts(
        DATA / "artifacts", bucket=env.text("ARTIFACTS_BUCKET"), region=env.text("AWS_REGION")
    ),
    "staticfiles": {"BACKEND": "config.static_files.GzippedStaticFiles"},
}

# Security
SECURE_SSL = env.flag("RUNTRAIL_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],  # plotly saves a picture by way of a blob
        "style-src": ["'self'", "'unsafe-inline'"],  # plotly.js writes style attributes
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}

# Logs: one JSON object a line on standard error.
LOGGING_CONFIG = "logging.config.dictConfig"
LOG_LEVEL = env.one_of("RUNTRAIL_LOG_LEVEL", "WARNING", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = logs.logging_config(LOG_LEVEL)
structlog.configure(
    processors=[*logs.SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
# Runtrail
PROJECT = env.text("RUNTRAIL_PROJECT")  # the project of a command without --project
ALLOW_LOCAL_COMMANDS = env.flag("RUNTRAIL_LOCAL_COMMANDS", False)  # also for definitions made over the web
LOCAL_SLOTS = env.number("RUNTRAIL_LOCAL_SLOTS", 2, minimum=1)  # local jobs at once on this machine
METRICS_TOKEN = env.secret("RUNTRAIL_METRICS_TOKEN")  # for Prometheus on another machine
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True  # a branch named =1+1 is text in a spreadsheet
SHOW_BADGES = env.flag("RUNTRAIL_BADGES", False)  # a badge tells everybody how the last run ended
GITHUB_WEBHOOK_SECRET = env.secret("GITHUB_WEBHOOK_SECRET")
CI_SERVICES: dict[str, dict[str, Any]] = {
    "github": {
        "BACKEND": "tracking.ci.github.service.GitHub",
        "MESSAGES": "tracking.ci.github.records.message",
        "OPTIONS": {
            "api_url": env.url("GITHUB_API_URL", "https://api.github.com"),
            "version": env.one_of("GITHUB_API_VERSION", "2022-11-28", ["2022-11-28", "2026-03-10"]),
            "token": env.secret("GITHUB_TOKEN"),
            "app_id": env.text("GITHUB_APP_ID"),
            "app_key": env.secret("GITHUB_APP_KEY"),
            "unknown_wait": env.number("GITHUB_UNKNOWN_WAIT", 600, minimum=0),  # seconds
            "redis_url": REDIS_URL,
            "limits": {
                "pause": env.number("GITHUB_WRITE_PAUSE", 1),  # seconds
                "writes_per_minute": env.number("GITHUB_WRITES_PER_MINUTE", 80, minimum=1),
                "writes_per_hour": env.number("GITHUB_WRITES_PER_HOUR", 500, minimum=1),
            },
        },
    },
    "local": {"BACKEND": "tracking.ci.local.LocalProcesses", "OPTIONS": {"folder": DATA / "local_jobs"}},
}
RUN_KINDS = load.KINDS
LOAD_GENERATORS, METRIC_SOURCES, CONFIRM_CHANGES = load.settings_of(DATA)
