"""Settings: what there is, how each is read, and where its value comes from."""
