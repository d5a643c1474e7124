"""Areas, cameras, zones and counting lines: configuration only."""
