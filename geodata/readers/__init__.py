"""Files from outside, whatever their format, as batches of records.

Coordinates come as they stand in the file, with the CRS it declares; :mod:`geodata.crs` converts them.
"""

from geodata.readers.archive import Limits
from geodata.readers.batch import Batch
from geodata.readers.encoding import Encoding
from geodata.readers.formats import Format
from geodata.readers.source import Source, header_hash, open_source

__all__ = ["Batch", "Encoding", "Format", "Limits", "Source", "header_hash", "open_source"]
