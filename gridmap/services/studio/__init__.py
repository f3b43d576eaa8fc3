"""The redraw studio: a plan's ground and grids as the browser works on them."""

from gridmap.services.studio.ground import packed_ground
from gridmap.services.studio.open import Opened, open_plan

__all__ = ["Opened", "open_plan", "packed_ground"]
