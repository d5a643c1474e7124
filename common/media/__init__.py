"""Sending stored files to those who may see them: `serve_file`."""

from common.media.responses import keep_private, serve_file

__all__ = ["keep_private", "serve_file"]
