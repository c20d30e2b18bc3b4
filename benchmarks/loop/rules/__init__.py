"""Rules that others decide by, made to run inside the product beside its own."""
