"""Which weights there are, and those that this project trained."""
