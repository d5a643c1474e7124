"""What the machine does, as numbers for Prometheus."""
