"""One identity per person through the clip."""
