"""Figures and questions about tracks: path, speed, direction, zones."""

from vision.analytics.trajectories import TrajectoryFigures, describe_trajectory
from vision.analytics.zones import in_polygons, points_in_polygon

__all__ = ["TrajectoryFigures", "describe_trajectory", "in_polygons", "points_in_polygon"]
