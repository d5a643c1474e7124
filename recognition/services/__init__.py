"""What is done with profiles, samples and matches."""
