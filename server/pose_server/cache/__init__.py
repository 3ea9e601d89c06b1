"""Content-addressed media and stage results on disk."""
