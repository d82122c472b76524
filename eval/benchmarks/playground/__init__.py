"""Episodes of the project's own playground, recorded with the right steps: what the small model can do."""
