"""Whether arms can be compared, and what they say."""
