"""Networks in plain torch: no Lightning, no Hydra, no MLflow."""
