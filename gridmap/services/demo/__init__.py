"""The demo town in the database: ground, units, today's grids, department layers, cases, all checked."""

from gridmap.services.demo.load import DemoReport, load, loaded

__all__ = ["DemoReport", "load", "loaded"]
