"""A job module that takes its time to load."""

import time

from fake_jobs import run

__all__ = ["run"]

time.sleep(2.5)
