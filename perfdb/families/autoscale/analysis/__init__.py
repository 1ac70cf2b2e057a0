"""Many runs' rounds taken together, and ways to obtain cores set against one another."""
