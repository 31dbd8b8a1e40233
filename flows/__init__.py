"""When things run, and what is wired to what; the command line."""
