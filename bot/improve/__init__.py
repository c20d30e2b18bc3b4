"""How it improves: findings, proposals, releases; records in, records out."""
