"""Live runs as measurements: plans of pages, rows of outcomes, and the environments they are played in."""
