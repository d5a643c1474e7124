"""Who may see and change what this app stores: the owner."""

from common.permissions import OwnerRule, register_rule
from detector.models import DetectionSession

register_rule(DetectionSession, OwnerRule())
