"""Where a job runs: a spawned worker process, and the line to it."""
