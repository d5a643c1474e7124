"""Sending stored files to those who may see them: `serve_file`."""

from common.media.responses import serve_file

__all__ = ["serve_file"]
