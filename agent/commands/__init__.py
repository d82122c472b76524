"""The commands of `guikv`, one module each. What is slow to import is imported when a command runs."""
