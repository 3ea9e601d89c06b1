"""From motion to files and to channels that a host writes as they are."""
