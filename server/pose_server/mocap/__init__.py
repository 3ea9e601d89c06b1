"""Motion capture files: one reader per format, one kind of recording."""
