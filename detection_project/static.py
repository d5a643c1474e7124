"""Static files with the hash of their content in the name, so that browsers keep them for ever."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names, also in the `import` statements of ES modules."""

    support_js_module_import_aggregation = True
