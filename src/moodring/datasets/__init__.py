"""From a source block to a labelled raw table with its split."""
