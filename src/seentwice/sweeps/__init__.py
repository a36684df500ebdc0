"""Sweeps over hyperparameters: the search space, the searcher, and trials on this machine."""
