"""The docker target: runs as containers of one machine's engine."""
