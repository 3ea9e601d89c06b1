"""A server that answers at once, and the film that its people are in."""

from dance_floor import film, server

__all__ = ["film", "server"]
