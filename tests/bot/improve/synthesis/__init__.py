"""Tests of what findings come to."""
