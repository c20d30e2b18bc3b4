"""A world with hidden truth: what it says about people and answers is simulated, all of it."""
