"""Decoding: replies of one session or of many in one batch, and the engine that owns a model and its sessions."""
