"""Trials: an approved change beside what it would replace, on live traffic, until one of them stays."""
