"""`ratchet demo`: a simulated team's weeks in a minute, with the loop and without, from real databases."""
