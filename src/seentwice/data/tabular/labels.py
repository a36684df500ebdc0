"""When two labels of a table, such as categories or sellers, are the same one."""


def fold_label(label: str) -> str:
    """Return what equal labels share: people write "Flat", "flat" and "Flat " for one thing."""
    return label.strip().casefold()
