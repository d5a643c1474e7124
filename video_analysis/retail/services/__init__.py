"""What is done with visits."""

from video_analysis.retail.services.closing import close_visits, close_visits_if_due
from video_analysis.retail.services.merging import join_visits, recount_visits
from video_analysis.retail.services.sightings import note_sighting

__all__ = [
    "close_visits",
    "close_visits_if_due",
    "join_visits",
    "note_sighting",
    "recount_visits",
]
