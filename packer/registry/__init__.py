"""Images in a registry: everything that speaks to one (OCI distribution-spec 1.1)."""
