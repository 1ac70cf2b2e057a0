"""What the load clients said, taken together, and whether they kept up."""
