"""A process that has everything imported already, and becomes the next command by a fork.

What a command needs to know of it is in `client`; nothing else may depend on it. Only modules that
every Python has loaded at its start, or that are written in C, are imported before a command is
handed over: loading more is what this saves.
"""
