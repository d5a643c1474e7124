"""From frames to what is in them: the same for files, cameras, the webcam and the command line."""

from vision.pipeline.config import PipelineConfig
from vision.pipeline.pipeline import Pipeline
from vision.pipeline.results import FrameResult
from vision.pipeline.run import run_pipeline

__all__ = ["FrameResult", "Pipeline", "PipelineConfig", "run_pipeline"]
