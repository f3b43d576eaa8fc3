"""The redraw engine: units in, a plan out in which every grid meets the standard, with a proof of what cannot."""
