"""The stages in order, what passes between them, and what one import asks of them."""
