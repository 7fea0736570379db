"""The file formats of the data between stages."""
