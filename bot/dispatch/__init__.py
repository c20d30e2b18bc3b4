"""From an accepted message to a closed run: order, permission, the agent or the command."""
