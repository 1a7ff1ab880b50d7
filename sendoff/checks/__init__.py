"""What sendoff doctor looks at: this machine, and the servers that runs need."""
