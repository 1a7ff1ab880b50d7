"""The kubernetes target: a pushed image and a request become a Job, and the Job becomes results."""
