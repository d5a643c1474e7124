"""Where pictures and videos come from. Each module costs what it needs; this package nothing."""
