"""What visits hear of: sightings, merged people, and people who became staff or are none again."""

from __future__ import annotations

from django.db.models.signals import post_save

from recognition.models import Profile, ProfileMerge
from recognition.services.profiles import register_merge_listener
from video_analysis.retail.services import join_visits, note_sighting
from video_analysis.retail.services.merging import (
    count_after_change,
    count_after_merge,
    recount_visits,
)
from video_analysis.services.recognising.news import SightingNews, register_sighting_listener
from video_analysis.services.recognising.visitors import register_naming_listener


def hear_sighting(news: SightingNews) -> None:
    """Note a sighting."""
    note_sighting(news)


def hear_name(profile: Profile) -> None:
    """Count the visits of a person who was a visitor until now: they are theirs."""
    recount_visits([profile.pk])


register_sighting_listener(hear_sighting)
register_naming_listener(hear_name)
register_merge_listener(join_visits)
post_save.connect(count_after_merge, sender=ProfileMerge, dispatch_uid="visits-after-merge")
post_save.connect(count_after_change, sender=Profile, dispatch_uid="visits-after-change")
