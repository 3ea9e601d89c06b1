"""Rigs and their motions as other programs' files hold them."""
