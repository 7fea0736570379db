"""File formats that the stages use to pass data on."""
