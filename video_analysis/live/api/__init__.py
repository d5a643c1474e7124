"""Live cameras and their events over REST."""
