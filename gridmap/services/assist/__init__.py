"""What the engine offers an editor at the desk: repairs, halves, filling, merging, and redraws as previews.

Everything is a suggestion against the plan at a version, and nothing here writes to a plan: adopting one is an ordinary
operation of the editor's.
"""

from gridmap.services.assist.fill import Filling, fill
from gridmap.services.assist.halve import Halves, halve
from gridmap.services.assist.heal import Cure, heal
from gridmap.services.assist.merge import Merge, merges
from gridmap.services.assist.preview import PreviewView, ask_preview, follow, run_preview, stop
from gridmap.services.assist.ready import get_ready
from gridmap.services.assist.suggest import Figure, Suggestion

__all__ = [
    "Cure",
    "Figure",
    "Filling",
    "Halves",
    "Merge",
    "PreviewView",
    "Suggestion",
    "ask_preview",
    "fill",
    "follow",
    "get_ready",
    "halve",
    "heal",
    "merges",
    "run_preview",
    "stop",
]
