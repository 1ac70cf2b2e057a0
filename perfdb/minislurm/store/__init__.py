"""The jobs and their history: one SQLite database, one writer, any number of readers."""
