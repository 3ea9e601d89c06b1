"""Clips: probe, decode, image sequences."""
