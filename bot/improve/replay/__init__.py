"""Replay: recorded requests done again, by what would change and by what stands, pair by pair."""
