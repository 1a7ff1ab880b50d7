"""Project and environment → image digest. A library that can be used alone."""
