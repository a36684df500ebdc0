"""One file a command: the only place that composes configs and builds objects."""
