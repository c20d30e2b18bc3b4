"""Files: what comes with a message is read within limits, what an agent makes is kept."""
