"""Operations on a plan: sent, undone, listed, and who else is at work on it."""

from __future__ import annotations
