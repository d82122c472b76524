"""One module per task; each has `generate(seed) -> Page`."""
