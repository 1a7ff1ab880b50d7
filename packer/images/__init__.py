"""Image configs, manifests, and the layout that holds them."""
