"""Figures: what Ratchet costs beside doing nothing, measured in one run on one machine."""
