"""From a run image back to what it was packed from."""
