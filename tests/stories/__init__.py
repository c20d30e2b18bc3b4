"""Whole transcripts, against real processes and servers of our own."""
