"""Two plans beside each other."""

from __future__ import annotations
