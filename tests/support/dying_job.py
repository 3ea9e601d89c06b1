"""A job module that kills whoever imports it."""

import os

os._exit(3)
