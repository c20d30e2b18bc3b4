"""The nouns: frozen records and pure rules; imports nothing of the project."""
