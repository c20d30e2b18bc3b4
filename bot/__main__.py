"""The door from the command line: `ratchet` and `python -m bot`."""

from bot.cli.app import main

if __name__ == "__main__":
    main()
