"""What the background tells of the camera: how it moved, its lens, and what is up."""
