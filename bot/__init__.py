"""The heart: what the bot is, its words, its agents, how it improves."""
