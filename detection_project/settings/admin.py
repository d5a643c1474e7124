"""The look of the admin: the product's own colours, as in static/css/tokens.css."""

from django.templatetags.static import static

# Tailwind's names for shades: 50 is the lightest, 950 the darkest.
_SHADES = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
_GREYS = (
    *("#fafaf9", "#f3f3f1", "#e6e6e2", "#d3d3cd", "#a4a7ae", "#6f7178"),
    *("#5a5c62", "#383b42", "#26282d", "#17181b", "#101113"),
)
_BLUES = (
    *("#ebf0ff", "#dbe4ff", "#bccbff", "#a3b8ff", "#86a2ff", "#86a2ff"),
    *("#2b5cff", "#2450e6", "#1f4ce6", "#1b2f80", "#1b2440"),
)

UNFOLD = {
    "SITE_TITLE": "Sightline",
    "SITE_HEADER": "Sightline",
    "SITE_SUBHEADER": "Administration",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "base": dict(zip(_SHADES, _GREYS, strict=True)),
        "primary": dict(zip(_SHADES, _BLUES, strict=True)),
    },
    "STYLES": [lambda request: static("css/admin.css")],
    "DASHBOARD_CALLBACK": "detection_project.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "detection_project.admin.navigation.sidebar"},
}
