"""What gunicorn serves."""

from gridmap.web.app import create_app

app = create_app()
