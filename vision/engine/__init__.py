"""The engine: one per process, owns the models and decides who runs next."""

from vision.engine.config import EngineConfig, ModelInfo
from vision.engine.engine import Engine

__all__ = ["Engine", "EngineConfig", "ModelInfo"]
