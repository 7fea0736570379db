"""params.yaml as frozen, checked types."""
