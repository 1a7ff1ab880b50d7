"""Runs on the stack's cluster, and the faults they survive there."""
