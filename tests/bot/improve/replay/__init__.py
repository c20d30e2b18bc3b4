"""Replay, through a whole Ratchet and in its parts."""
