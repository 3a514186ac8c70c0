"""Settings, one file, read from the environment; every default works for development.

The variables are listed in docs/reference/settings.md.
"""

import os
import sys
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = env.bool("DEBUG", default=True)
DEVELOPMENT_KEY = "development-only-key-never-used-with-debug-off"  # refused below
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_KEY if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if not DEBUG:
    for name, value in (("SECRET_KEY", SECRET_KEY), ("ALLOWED_HOSTS", ALLOWED_HOSTS)):
        if not value:
            raise ImproperlyConfigured(f"DEBUG is 0, so {name} must be set in the environment")

# What listens: the web server of `runsystem`, and nothing else.
BIND = env.str("BIND", default="127.0.0.1")
PORT = env.int("PORT", default=8000)

# daphne doubles the start of a command, so only a process that serves pages loads it.
SERVES_PAGES = sys.argv[1:2] == ["runserver"]

INSTALLED_APPS = [
    *(["daphne"] if SERVES_PAGES else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    *(["whitenoise.runserver_nostatic"] if SERVES_PAGES else []),
    "django.contrib.staticfiles",
    "channels",
    "django_q",
    "jobqueue",
    "machines",
    "monitor",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "monitor.security.content_security_policy",
]

ROOT_URLCONF = "smproject.urls"
ASGI_APPLICATION = "smproject.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

# Database. SQLite needs IMMEDIATE: a deferred transaction that turns into a writer fails at
# once with "database is locked", whatever the timeout.
SM_SQLITE_SYNCHRONOUS = env.str("SM_SQLITE_SYNCHRONOUS", default="FULL").upper()
if SM_SQLITE_SYNCHRONOUS not in {"FULL", "NORMAL"}:
    raise ImproperlyConfigured(
        f"SM_SQLITE_SYNCHRONOUS is {SM_SQLITE_SYNCHRONOUS!r}; it may be FULL or NORMAL"
    )
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/statemachine.sqlite3")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE_FILE = Path(DATABASES["default"]["NAME"]).absolute()
    DATABASE_FILE.parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"] |= {
        "NAME": str(DATABASE_FILE),
        "OPTIONS": {
            "timeout": 20,  # seconds; the journal sets its own
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SM_SQLITE_SYNCHRONOUS};"
                " PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;"
            ),
        },
        # A file: tests start processes, which an in-memory database would keep out.
        "TEST": {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")},
    }
    STATE_DIR = DATABASE_FILE.parent
else:
    STATE_DIR = VAR_DIR
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Without "socket_timeout": None redis-py 8 drops every socket after 5 seconds.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# Background workers: chores, never the machines' jobs.
Q_CLUSTER = {
    "name": "statemachine",
    "workers": 1,
    "timeout": 120,  # seconds a chore may take
    "retry": 180,  # must exceed the timeout, or a slow chore runs twice
    "max_attempts": 5,
    "catch_up": False,
    "label": "Background",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

SM_RUN_DIR = env.str("SM_RUN_DIR", default="")
SM_LOG_DIR = env.str("SM_LOG_DIR", default=str(STATE_DIR / "logs"))
SM_ACTIONS_DIR = env.str("SM_ACTIONS_DIR", default="")
SM_MANIFEST = env.str("SM_MANIFEST", default=str(BASE_DIR / "machines.yaml"))
SM_EXAMPLES_DIR = BASE_DIR / "examples"
SM_HTTP_ALLOW_PRIVATE = env.list("SM_HTTP_ALLOW_PRIVATE", default=[])
SM_EVENT_TTL = env.str("SM_EVENT_TTL", default="30d")
SM_SECRETS_FILE = env.str("SM_SECRETS_FILE", default="")

LOGIN_URL = "admin:login"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is missing
WHITENOISE_USE_FINDERS = DEBUG
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # bytes; a frame's limit

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "format": "{asctime} {levelname:<7} {message}",
            "datefmt": "%H:%M:%S",
            "style": "{",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "text"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "machines": {"level": LOG_LEVEL},
        "jobqueue": {"level": LOG_LEVEL},
        "monitor": {"level": LOG_LEVEL},
    },
}
os.environ.setdefault("DJANGO_RUNSERVER_HIDE_WARNING", "true")
