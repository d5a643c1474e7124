"""Cameras as YAML: the schema, reading with line numbers, writing. Knows no database."""
