"""What gunicorn serves: the application on the database of ``DATABASE_URL`` (``gridmap serve`` sets it)."""

import os
import sys

from gridmap.db.engine import connect
from gridmap.errors import Unavailable
from gridmap.settings import settings
from gridmap.web.app import create_app

if settings().database_url is None:
    raise Unavailable("DB_NOT_CONNECTED")
connect(settings().database_url or "")
app = create_app()
if os.environ.get("GRIDMAP_WAIT"):  # everything is loaded; `gridmap serve` closes our input when the database is ready
    sys.stdin.read()
