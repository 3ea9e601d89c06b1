"""From frames to boxes and 2D keypoints, one backend per file."""
