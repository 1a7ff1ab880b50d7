"""Image digest and request → run, logs, results. A library that can be used alone."""
