"""The WSGI entry point: `PEERS_LIBRARY=dogpile gunicorn -c python:catalog.gunicorn_conf peers.wsgi:application`."""

from __future__ import annotations

import os

from catalog import logs
from catalog.settings import Settings, from_environment

from peers.libraries import LIBRARIES
from peers.shop import create_application

_settings = from_environment(Settings)
logs.configure(_settings.log_format, node=_settings.node)
application = create_application(_settings, os.environ.get("PEERS_LIBRARY", ""), LIBRARIES)
