"""What several pages need: the lab, the form's experiment, a run's events, its name, navigation."""
