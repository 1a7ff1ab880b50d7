"""Base images: the catalogue of them, how they are built, and what is known of each."""
