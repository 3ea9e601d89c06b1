"""2D keypoints that other programs found, in the place of a detector of our own."""
