"""From a 2D track to 3D joints in the camera."""
