"""What a runner's exit status says to whoever started it."""

from __future__ import annotations

COMMITTED = 0
"""There is a manifest of this attempt, whatever the command's own end.

In a pod: of every input of the pod, and each command succeeded.
"""
INTERNAL = 70
"""The runner itself failed; nothing was committed."""
NOT_STORED = 74
"""The store took no manifest; nothing was committed."""
INTERRUPTED = 75
"""Somebody ended the attempt from outside without cancelling the run; nothing was committed."""
LOST = 76
"""Another attempt has committed, or has this number. Not in a pod."""
NOT_BEGUN = 77
"""In a pod: the store could not be used, so that no command was started; nothing was committed."""
UNSUCCESSFUL = 80
"""In a pod: as COMMITTED, but a command did not succeed. Trying again would change nothing."""
UNUSABLE = 81
"""In a pod: something was wrong before a command could start, and will stay so."""
SPENT = 82
"""In a pod: the attempts before it that started a command were as many as there may be.

A Job counts pods, also those that never came to start a command; attempts are counted here.
"""
PERMANENT = (UNSUCCESSFUL, UNUSABLE, SPENT)
"""Those of a pod after which no further attempt makes sense."""
