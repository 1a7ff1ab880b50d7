"""The project's files: what is packed, what stays out, the snapshot."""
