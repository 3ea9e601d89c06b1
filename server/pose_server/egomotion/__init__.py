"""How the camera itself moved, told by the background."""
