"""A believable county from a seed: wholly fictitious ground, people and cases, with the faults of real life.

County codes begin with 3399, 3398, ... which GB/T 2260 leaves unassigned; no geometry is that of a real place.
"""

from geodata.synth.town import Town, synthesise, synthesise_tiles

__all__ = ["Town", "synthesise", "synthesise_tiles"]
