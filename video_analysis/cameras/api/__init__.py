"""Configuration of cameras over REST."""
