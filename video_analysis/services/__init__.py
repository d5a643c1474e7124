"""What can be done with videos."""
