"""Everything that speaks to BuildKit, through `docker buildx` and python-on-whales."""
