"""Writes of areas, cameras, zones and lines."""
