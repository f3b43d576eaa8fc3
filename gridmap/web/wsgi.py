"""What gunicorn serves: the application on the database of ``DATABASE_URL`` (``gridmap serve`` sets it)."""

import os
import sys
from importlib import import_module

from gridmap.db.engine import connect
from gridmap.errors import Unavailable
from gridmap.settings import settings
from gridmap.web.app import create_app

if settings().database_url is None:
    raise Unavailable("DB_NOT_CONNECTED")
connect(settings().database_url or "")
app = create_app()
import_module("gridmap.web.maps")  # once, before the web processes fork: no first map page waits for Folium
if os.environ.get("GRIDMAP_WAIT"):  # everything is loaded; `gridmap serve` closes our input when the database is ready
    sys.stdin.read()
