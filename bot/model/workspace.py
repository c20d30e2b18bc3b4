"""Workspaces: tenants, each with its own people, runs and agents."""

HOME = "local"
"""That of whoever runs Ratchet: the settings speak for it alone, and it pays for all."""
