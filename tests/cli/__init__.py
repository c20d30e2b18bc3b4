"""The command line, as someone types it."""
