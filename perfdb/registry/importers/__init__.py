"""Others' results as records: what they are, from where, and nothing more than they say."""
