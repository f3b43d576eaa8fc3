"""Remarks on a plan, its grids and places."""

from __future__ import annotations
