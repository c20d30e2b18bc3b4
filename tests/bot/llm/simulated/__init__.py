"""The simulated world: what its truth is, and that only the world can read it."""
