"""Ways to tell whether two photos show the same place, behind one protocol."""
