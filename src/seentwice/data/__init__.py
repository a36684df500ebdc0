"""Where photos and labels come from."""
