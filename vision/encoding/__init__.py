"""Results as files and messages. Each module costs what it needs; this package nothing."""
