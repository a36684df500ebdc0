"""Training and tracking: the only place that knows Lightning and MLflow."""
