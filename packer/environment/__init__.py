"""The sandbox's distributions: read, classified, resolved to a lock."""
