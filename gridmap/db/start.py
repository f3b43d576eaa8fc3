"""Which database this process works on: the server of ``DATABASE_URL``, else the private cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gridmap.db.cluster import Cluster
from gridmap.db.engine import connect, disconnect
from gridmap.settings import Settings


@contextmanager
def database(config: Settings) -> Iterator[str]:
    """Connect this process to its database and yield the address; the private cluster stays up while the block runs."""
    if config.database_url is not None:
        connect(config.database_url)
        yield config.database_url
        disconnect()
        return
    with Cluster(config).used() as cluster:
        connect(cluster.url)
        try:
            yield cluster.url
        finally:
            disconnect()
