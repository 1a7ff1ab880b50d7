"""Functions sent off with the least change: `@sendoff.remote(gpu=…)`, and what comes back."""
