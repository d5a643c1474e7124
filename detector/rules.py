"""Who may see and change sessions: the owner, and the group that they are shared with."""

from common.permissions import SharedRule, register_rule
from detector.models import DetectionSession

register_rule(DetectionSession, SharedRule())
