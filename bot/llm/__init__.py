"""Language models and embedders: one way to reach each, errors in our own words."""
