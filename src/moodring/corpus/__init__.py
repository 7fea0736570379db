"""From clean text to token ids, ragged arrays and padded batches."""
