"""The `pose-server` command."""
