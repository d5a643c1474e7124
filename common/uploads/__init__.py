"""Stored files: judged by content, kept with their digest, deleted with their last user."""
