"""The `local` target: a run is a process of this machine, in the files of its image."""
