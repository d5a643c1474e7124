"""What was found over time, by class and by model."""
