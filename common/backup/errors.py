"""Why there is no backup, or why it is not restored."""


class BackupError(Exception):
    """Nothing was changed; the message says what helps."""
