"""A run once more, by its digest: what it was, what it is now, and in what they differ."""
