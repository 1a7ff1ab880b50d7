"""Base images: which one a run stands on, and how operators make and spread them."""
