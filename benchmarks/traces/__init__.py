"""Mining and replay statistics on traces of real agents."""
