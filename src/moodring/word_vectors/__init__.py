"""From a source to a table of word vectors."""
