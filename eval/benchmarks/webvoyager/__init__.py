"""WebVoyager: recorded trajectories of browsing, for what a step costs."""
