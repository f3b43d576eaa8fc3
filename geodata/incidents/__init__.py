"""Statistics of cases by grid: rates that small grids do not distort, hot spots, stacked addresses, periods."""
