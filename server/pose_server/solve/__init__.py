"""One skeleton of constant lengths per person, in one world, over the whole clip."""
