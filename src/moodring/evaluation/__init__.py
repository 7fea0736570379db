"""Compare scores with labels: metrics, curves, slices, calibration."""
