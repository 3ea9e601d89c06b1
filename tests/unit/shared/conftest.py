"""A server that answers at once, and a film."""

from dance_floor import film, server, sideways_film  # noqa: F401, fixtures
