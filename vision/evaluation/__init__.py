"""How good a detector is, in the numbers of the literature."""

from vision.evaluation.coco import CocoMetrics, CocoResult, detect_folder, evaluate

__all__ = ["CocoMetrics", "CocoResult", "detect_folder", "evaluate"]
