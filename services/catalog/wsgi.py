"""The WSGI entry point: `gunicorn -c python:catalog.gunicorn_conf catalog.wsgi:application`.

Importing it parses the environment and opens nothing: gunicorn's master imports it before it forks.
"""

from __future__ import annotations

from catalog import logs
from catalog.settings import Settings, from_environment
from catalog.web.application import create_application

_settings = from_environment(Settings)
logs.configure(_settings.log_format, node=_settings.node)
application = create_application(_settings)
