"""What people see of runs in the MLflow UI; `tracking` and `serving` write it."""
