"""Detectors: folds over the run log, from records to what is worth a change; pure."""
