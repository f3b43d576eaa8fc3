"""What the engine offers an editor: repairs, splits, placing what is in no grid, redraws as previews."""

from __future__ import annotations
