"""What it keeps: one file per kind of record."""
