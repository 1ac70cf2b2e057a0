"""Records and comparisons as pictures and as a static site."""
