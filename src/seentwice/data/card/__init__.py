"""The data card: what a data set holds."""
