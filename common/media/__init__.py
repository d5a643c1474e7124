"""Sending files to those who may have them: `serve_file`, and `PieceStream` for what is made."""

from common.media.pieces import PieceStream
from common.media.responses import keep_private, serve_file

__all__ = ["PieceStream", "keep_private", "serve_file"]
