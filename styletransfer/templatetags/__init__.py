"""What the templates of styles need beyond Django."""
