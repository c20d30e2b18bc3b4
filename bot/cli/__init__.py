"""The command line: light to start, everything heavy is loaded when a command needs it."""
