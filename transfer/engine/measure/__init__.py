"""What an experiment or a backbone takes on this computer: measured, or estimated beforehand."""
