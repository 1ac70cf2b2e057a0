"""What is to be thought of the rounds: the checks that make them a measurement, and what they say by themselves."""
