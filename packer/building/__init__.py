"""What must be built by running something: by BuildKit, on the base image."""
