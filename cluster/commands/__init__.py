"""The verbs of the command line, thin: they parse, ask the launcher, and print what it did and what is now so."""
