"""Language models: the connected one, the offline one, and what a call costs."""
