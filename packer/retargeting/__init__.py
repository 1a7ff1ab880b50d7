"""An environment of one platform for another, or for CUDA: what changes, and from where."""
