"""People: their role, and the tokens of their programs."""
