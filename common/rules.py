"""Who may see uploads and jobs: their owner."""

from common.models import Job, Upload
from common.permissions import OwnerRule, register_rule

register_rule(Upload, OwnerRule())
register_rule(Job, OwnerRule())
