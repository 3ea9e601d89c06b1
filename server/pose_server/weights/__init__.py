"""Weights: those that this project trained and ships, and those of others that the user may fetch."""
