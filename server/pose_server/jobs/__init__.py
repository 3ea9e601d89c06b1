"""The durable job table and what moves a job from state to state."""
