"""The same motion on a rig that somebody described."""
