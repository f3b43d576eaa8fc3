"""gridmap: grid planning for local governments (Flask, PostGIS, Folium)."""

from pathlib import Path

from geodata.messages import register

__version__ = "0.1.0"

#: The checkout or the installed bundle; templates and lock files stand beside the package.
ROOT = Path(__file__).resolve().parent.parent

register(Path(__file__).parent / "messages")
