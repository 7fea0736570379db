"""Makes a dataset of a file of the user's: guesses its columns, writes its block of parameters, tracks it."""
