"""Tables of products and listings, row by row, whatever their format."""
