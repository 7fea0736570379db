"""The checkout: its root, git, DVC, locks and Keras backend."""
