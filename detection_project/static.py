"""Static files with the hash of their content in the name, so that browsers keep them for ever."""

from pathlib import Path
from typing import Any

from django.conf import settings
from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names, also in the `import` statements of our own ES modules.

    Packages' scripts are left as they are: some carry import statements that are examples.
    """

    # One for each step of the longest chain of imports; each file's name follows from what it
    # imports.
    max_post_process_passes = 12

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _, replacements = self._js_module_import_aggregation_patterns
        folders = sorted(
            entry.name
            for root in settings.STATICFILES_DIRS
            for entry in Path(root).iterdir()
            if entry.is_dir()
        )
        # Before super(): its constructor compiles the patterns.
        self.patterns = (
            *self.patterns,
            *((f"{folder}/*.js", replacements) for folder in folders),
        )
        super().__init__(*args, **kwargs)
