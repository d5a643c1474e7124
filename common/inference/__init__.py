"""Finding objects and faces, and painting: with this process's engine, or by asking the workers.

With ``INFERENCE=local`` a process answers with its own engine. With ``INFERENCE=worker`` web
processes load no model: they send pictures to the workers through Redis and wait for the answers
(`ask_workers`). A worker process calls `start_server` once its engine may be used and `stop_server`
before `close_engine`; jobs use the same engine, and its queue lets interactive pictures go first.
"""

from common.inference.engine import (
    close_engine,
    get_engine,
    get_weights_store,
    is_warm,
    set_engine_for_tests,
    start_warm_up,
    warm_up,
)
from common.inference.errors import InferenceUnavailable
from common.inference.faces import FoundFaces, find_faces
from common.inference.local import find_objects
from common.inference.messages import FaceQuery, Query, Reply, StyleQuery
from common.inference.remote import Question, ask_workers
from common.inference.server import start_server, stop_server
from common.inference.styles import FastPicture, paint_fast
from common.inference.where import loaded_models, needs_engine
from common.inference.workers import WorkerSign, list_workers

__all__ = [
    "FaceQuery",
    "FastPicture",
    "FoundFaces",
    "InferenceUnavailable",
    "Query",
    "Question",
    "Reply",
    "StyleQuery",
    "WorkerSign",
    "ask_workers",
    "close_engine",
    "find_faces",
    "find_objects",
    "get_engine",
    "get_weights_store",
    "is_warm",
    "list_workers",
    "loaded_models",
    "needs_engine",
    "paint_fast",
    "set_engine_for_tests",
    "start_server",
    "start_warm_up",
    "stop_server",
    "warm_up",
]
