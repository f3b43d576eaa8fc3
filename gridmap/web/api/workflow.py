"""The way of a plan: submitted, returned, approved, published, replaced."""

from __future__ import annotations
