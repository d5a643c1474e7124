"""The browser's own camera: pictures in, boxes out."""
