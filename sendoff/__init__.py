"""Package the sandbox an experiment lives in, and send it off to the right hardware."""
