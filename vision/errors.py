"""What the engine raises when a person, a file or the network is at fault.

Every error carries a machine-readable ``code`` (snake case, stable, part of the API) and a
``message``: one sentence that can be shown to a person as it stands.
"""


class VisionError(Exception):
    """Base of all errors that the engine raises on purpose.

    Args:
        code: Stable machine code, e.g. ``"truncated_picture"``.
        message: One sentence for a person.
    """

    code: str
    message: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class PictureError(VisionError):
    """A file is no picture, or not one that may be decoded."""


class WeightsError(VisionError):
    """Weights are missing, unreachable, or not the file that their card names."""


class ModelError(VisionError):
    """A model or a class is asked for that does not exist."""
