"""Records onto a branch that others can pull, and the words that go with them."""
