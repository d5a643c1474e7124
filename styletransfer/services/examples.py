"""The picture to begin with, for who has none at hand."""

from __future__ import annotations

from typing import Any, Final

from styletransfer.errors import StyleError
from styletransfer.models import Restyling, Style
from styletransfer.services.options import RestyleOptions
from styletransfer.services.restylings import restyle_picture
from vision.sources.examples import EXAMPLE_FILE, find_example

EXAMPLE_NAME: Final = "Example: a street in Madrid"


def restyle_example(*, owner: Any, style: Style, options: RestyleOptions) -> Restyling:
    """Store the example picture for ``owner`` and have it painted.

    Raises:
        StyleError: ``example_missing`` when the package that carries it is not installed; and as
            `restyle_picture`.
    """
    path = find_example()
    if path is None:
        raise StyleError("example_missing", "The example picture is not installed.", status=404)
    return restyle_picture(
        owner=owner,
        data=path.read_bytes(),
        file_name=EXAMPLE_FILE,
        style=style,
        options=options,
        name=EXAMPLE_NAME,
        source=Restyling.Source.EXAMPLE,
    )
