"""Operations on a draft: applied, merged, taken back, cut, logged in a chain, and who is at work on it."""

from gridmap.services.operations.apply import Answer, apply
from gridmap.services.operations.cut import CutAnswer, cut
from gridmap.services.operations.log import Entry
from gridmap.services.operations.presence import Pulse, pulse
from gridmap.services.operations.read import Chain, LogPage, history, verify
from gridmap.services.operations.sent import Change, Move, Sent

__all__ = [
    "Answer",
    "Chain",
    "Change",
    "CutAnswer",
    "Entry",
    "LogPage",
    "Move",
    "Pulse",
    "Sent",
    "apply",
    "cut",
    "history",
    "pulse",
    "verify",
]
