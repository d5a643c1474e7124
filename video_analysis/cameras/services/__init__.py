"""Writes of areas, cameras, zones and lines, tests of connections, import and export.

Every change is judged before anything is written, raises the camera's revision, leaves a line in
the audit log, and is told to runners and open pages once it is there to be read. Who calls has
asked `common.permissions` first.
"""

from video_analysis.cameras.services.areas import (
    create_area,
    delete_area,
    rename_area,
    update_area,
)
from video_analysis.cameras.services.cameras import create_camera, delete_camera, update_camera
from video_analysis.cameras.services.probing import CameraPicture, test_camera
from video_analysis.cameras.services.regions import (
    create_line,
    create_zone,
    delete_line,
    delete_zone,
    replace_regions,
    update_line,
    update_zone,
)
from video_analysis.cameras.services.transfer import ImportReport, export_cameras, import_cameras

__all__ = [
    "CameraPicture",
    "ImportReport",
    "create_area",
    "create_camera",
    "create_line",
    "create_zone",
    "delete_area",
    "delete_camera",
    "delete_line",
    "delete_zone",
    "export_cameras",
    "import_cameras",
    "rename_area",
    "replace_regions",
    "test_camera",
    "update_area",
    "update_camera",
    "update_line",
    "update_zone",
]
