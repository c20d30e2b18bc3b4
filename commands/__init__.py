"""What you can say to it: one file per chat command."""
