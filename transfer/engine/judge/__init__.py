"""What a run is judged by: metrics, the choice of an epoch, the test, simple baselines."""
