"""What the app does, for whoever asks."""
