"""Small numbers: what may be published of a table of counts; the proof is in :mod:`geodata.privacy.suppress`."""
