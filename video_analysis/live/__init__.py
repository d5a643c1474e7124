"""Live cameras in the browser and over REST: wall, camera page, events, streams."""
