"""Tests: real databases, real processes, fakes only at the network edge."""
