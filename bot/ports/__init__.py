"""What the heart asks of the world: Protocols where another implementation or a fake exists."""
