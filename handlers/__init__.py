"""Where the world comes in and replies go out: one folder per channel."""
