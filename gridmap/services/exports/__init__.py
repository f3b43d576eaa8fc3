"""A plan as files that other programs open and that come back with nothing lost."""

from gridmap.services.exports.assignment import read_assignment
from gridmap.services.exports.plan import FORMATS, plan

__all__ = ["FORMATS", "plan", "read_assignment"]
