"""The pages of videos."""

from __future__ import annotations


def test_made(video_session):
    from video_analysis.models import Event, Track

    assert Track.objects.count() == 3
    print(list(Event.objects.values()), list(Track.objects.values()))
