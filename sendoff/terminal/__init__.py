"""What people read at a terminal: narration, descriptions, failures, help."""
