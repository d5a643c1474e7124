"""What stands at the left of every page of the admin, in the order in which it is needed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# title, icon, name of the address
GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "",
        [
            ("Overview", "dashboard", "admin:index"),
            ("Back to Sightline", "arrow_back", "detector:home"),
        ],
    ),
    (
        "Operation",
        [
            ("Jobs", "pending_actions", "admin:common_job_changelist"),
            ("Workers", "memory", "jobs:workers"),
            ("Storage", "hard_drive", "storage:storage"),
            ("Analytics", "bar_chart", "analytics:analytics"),
            ("Audit log", "list_alt", "audit:log"),
        ],
    ),
    (
        "Content",
        [
            ("Sessions", "photo_library", "admin:detector_detectionsession_changelist"),
            ("Videos", "movie", "admin:video_analysis_videoanalysis_changelist"),
            ("Objects", "select_all", "admin:detector_detectedobject_changelist"),
            ("Styles", "palette", "admin:styletransfer_style_changelist"),
            ("Restylings", "brush", "admin:styletransfer_restyling_changelist"),
            ("Uploads", "image", "admin:common_upload_changelist"),
            ("Cameras", "videocam", "admin:cameras_camera_changelist"),
            ("Areas", "map", "admin:cameras_area_changelist"),
        ],
    ),
    (
        "People",
        [
            ("People", "person", "admin:auth_user_changelist"),
            ("Groups", "group", "admin:auth_group_changelist"),
            ("API tokens", "key", "admin:knox_authtoken_changelist"),
        ],
    ),
    (
        "Records",
        [
            ("Worker processes", "dns", "admin:common_worker_changelist"),
            ("Audit entries", "history", "admin:common_auditentry_changelist"),
            ("Retention", "auto_delete", "admin:common_retentionpolicy_changelist"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups with their links."""
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [
                {"title": name, "icon": icon, "link": address, "active": _is_at(request, address)}
                for name, icon, route in entries
                if (address := address_of(route))
            ],
        }
        for title, entries in GROUPS
    ]


def _is_at(request: HttpRequest, address: str) -> bool:
    exact = address == reverse("admin:index")
    return address != "/" and (
        request.path == address if exact else request.path.startswith(address)
    )


def address_of(route: str) -> str:
    """Return the address of a page, or nothing where this installation has no such page."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""
