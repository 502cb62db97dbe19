"""Every setting of syncadmin. All come from the environment (docs/running.md lists them); a wrong one stops the start."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl

from syncadmin import logs
from syncadmin.environment import LOOPBACK, Environment, SettingError, part

env = Environment(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent

_DATABASE_REMEDY = "give postgresql://USER:PASSWORD@HOST:5432/NAME, or start everything with `make run`"
env.required("DATABASE_URL", _DATABASE_REMEDY)

DEBUG = env.boolean("DEBUG", False)
# The two systems are the stand-ins of syncadmin.sandbox, with invented people.
SANDBOX = env.boolean("SANDBOX", False)
# Where they listen; the setup wizard offers them.
SANDBOX_ADDRESSES = (
    {
        "dynamics": f"http://127.0.0.1:{env.number('DYNAMICS_PORT', 8101, least=1, most=65535)}",
        "marketo": f"http://127.0.0.1:{env.number('MARKETO_PORT', 8102, least=1, most=65535)}",
    }
    if SANDBOX
    else {}
)

SECRET_KEY = env.secret("SECRET_KEY", "give 50 random characters, and the same ones to every process", least=32)
# Newest first: the first seals, all of them open.
VAULT_KEYS = env.fernet_keys(
    "VAULT_KEYS", "make each with `openssl rand -base64 32 | tr +/ -_`, the newest first, separated by commas"
)
SYNC_KEY = env.text("SYNC_KEY", "sandbox-secret" if SANDBOX else "")
if SYNC_KEY and len(SYNC_KEY) < 14:
    raise SettingError(f"SYNC_KEY has {len(SYNC_KEY)} characters, it needs 14 or more.")

# --- where it is reached -------------------------------------------------------------------------------------------
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
_public = env.url(
    "PUBLIC_URL", ("https", "http"), "give the address people type, like https://sync.example.com", PUBLIC_URL
)
HTTPS = _public.scheme == "https"
if not _public.hostname or _public.path.strip("/") or _public.query:
    raise SettingError("PUBLIC_URL must be a scheme, a host and perhaps a port, like https://sync.example.com.")
if not HTTPS and not DEBUG and _public.hostname not in LOOPBACK:
    raise SettingError("PUBLIC_URL must start with https://: plain http is for this machine only (127.0.0.1).")
# Our own probes ask by the loopback address.
ALLOWED_HOSTS = sorted({*env.words("ALLOWED_HOSTS"), _public.hostname, "127.0.0.1", "localhost"})
CSRF_TRUSTED_ORIGINS = sorted({*env.words("CSRF_TRUSTED_ORIGINS"), PUBLIC_URL})
for _origin in CSRF_TRUSTED_ORIGINS:
    if not _origin.startswith(("https://", "http://")):
        raise SettingError(f"CSRF_TRUSTED_ORIGINS: {_origin!r} must start with https:// or http://.")
# Only a proxy that sets (or removes) X-Forwarded-Proto itself may be believed.
TRUST_PROXY = env.boolean("TRUST_PROXY", False)

# --- the application -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    "syncadmin",
    "syncadmin.store",
    "syncadmin.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "syncadmin.web.headers.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "syncadmin.web.access.Gate",
    "syncadmin.web.zones.ViewerZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "syncadmin.urls"
WSGI_APPLICATION = "syncadmin.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- database ------------------------------------------------------------------------------------------------------
def database(parts: SplitResult, pool_size: int) -> dict[str, object]:
    """Django's entry for a postgresql:// address; its query parameters are libpq's. A pool of 0 means none."""
    name = part(parts.path.lstrip("/"))
    if not name:
        raise SettingError("DATABASE_URL names no database: it ends in /NAME.")
    # A page of an index costs hardly more than the next one of a table, from memory or a disk without a moving arm. As
    # PostgreSQL's own 4, a batch of 300 would read a table of ten thousand from end to end, at every statement.
    ours = {"connect_timeout": 5, "application_name": "syncadmin", "options": "-c random_page_cost=1.1"}
    options: dict[str, object] = {**ours, **dict(parse_qsl(parts.query, keep_blank_values=True))}
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": part(parts.username),
        "PASSWORD": part(parts.password),
        "HOST": part(parts.hostname),
        "PORT": str(parts.port or ""),
        # Django allows a pool only without connections of its own.
        "CONN_MAX_AGE": 0 if pool_size else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


# Only wsgi.py sets this: a pool does not survive the fork of a worker, and a command needs one connection.
DATABASE_POOL = env.number("DATABASE_POOL", 0, least=0, most=1000)
DATABASES = {"default": database(env.url("DATABASE_URL", ("postgresql", "postgres"), _DATABASE_REMEDY), DATABASE_POOL)}

# --- queue ---------------------------------------------------------------------------------------------------------
_broker = env.url(
    "CELERY_BROKER_URL",
    ("redis", "rediss", "amqp", "amqps", "pyamqp"),
    "give redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//, or start everything with `make run`",
)
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL")
# Over the Redis protocol a task runs twice when it outlives this time; no task of ours lives half as long. The other
# two bring a dead worker's tasks back within seconds after it.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, int] = (
    {"visibility_timeout": 900, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    if _broker.scheme in ("redis", "rediss")
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# How many workers may take part in one run, on all machines together.
SYNC_WORKERS = env.number("SYNC_WORKERS", 2, least=1, most=64)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 360
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# In memory: what is due is decided by rows, so a beat's own diary could only be stale.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TIMEZONE = "UTC"

# --- words and times -----------------------------------------------------------------------------------------------
LANGUAGES = [("en", "English"), ("zh-hant", "繁體中文")]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", tuple(code for code, _ in LANGUAGES))
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Hashed names need `manage.py collectstatic` first; without them files are served from where they lie.
STATIC_HASHED = env.boolean("STATIC_HASHED", not DEBUG)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_HASHED
WHITENOISE_AUTOREFRESH = not STATIC_HASHED

# --- who may enter -------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
CSRF_FAILURE_VIEW = "syncadmin.web.views.errors.stale_form"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Two instances on one machine differ by port only, and browsers share cookies between ports.
_suffix = f"_{_public.port}" if _public.hostname in LOOPBACK and _public.port else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"syncadmin_session{_suffix}", f"syncadmin_csrf{_suffix}"
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 30 * 86_400, least=0, most=63_072_000) if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
# Without a trusted proxy header every request would look like http and be sent round in a circle.
SECURE_SSL_REDIRECT = HTTPS and TRUST_PROXY
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- mail ----------------------------------------------------------------------------------------------------------
_mail = env.url(
    "EMAIL_URL",
    ("smtp", "smtps", "console"),
    "give smtp://USER:PASSWORD@HOST:587 (STARTTLS), smtps://… (TLS from the first byte) or console://",
    "console://",
)
EMAIL_BACKEND = f"django.core.mail.backends.{'console' if _mail.scheme == 'console' else 'smtp'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = part(_mail.hostname), _mail.port or (465 if _mail.scheme == "smtps" else 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = part(_mail.username), part(_mail.password)
EMAIL_USE_SSL = _mail.scheme == "smtps"
# A mail server on this machine seldom has a certificate.
EMAIL_USE_TLS = _mail.scheme == "smtp" and EMAIL_HOST not in LOOPBACK
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "syncadmin@localhost")

# --- log -----------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
_passwords = [str(DATABASES["default"]["PASSWORD"]), part(_broker.password), EMAIL_HOST_PASSWORD]
LOGGING = logs.configuration(LOG_LEVEL, [SECRET_KEY, SYNC_KEY, *VAULT_KEYS, *_passwords])
