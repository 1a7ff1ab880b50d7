"""Image layers: tar and gzip, wheels and bytecode, environment and code."""
