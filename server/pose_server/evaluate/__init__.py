"""Evaluation: metrics, protocols and tables."""
