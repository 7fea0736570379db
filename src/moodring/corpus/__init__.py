"""Turn clean texts into token ids, ragged arrays and padded batches."""
