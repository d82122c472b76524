"""Environments: what is acted upon. They give screenshots and execute actions; they know nothing of models."""
