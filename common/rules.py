"""Who may see uploads and jobs: their owner, and whoever reaches the session that they are of.

The sessions are an app's, which knows this package and not the other way round; the relations are
named here as the database names them.
"""

from common.models import Job, Upload
from common.permissions import FollowRule, register_rule

register_rule(Upload, FollowRule("sessions"))
register_rule(Job, FollowRule("session", verbs=("view", "change")))
