"""What the studio opens with: the plan's state and its ground."""

from __future__ import annotations
