"""Servers that are about to be hurt."""

from serving import film, start_server

__all__ = ["film", "start_server"]
