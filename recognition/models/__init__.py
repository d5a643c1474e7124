"""People, their faces, what they have agreed to, and what is not certain."""

from recognition.models.consent import Consent, ConsentText
from recognition.models.gallery import GalleryChange, GalleryState
from recognition.models.privacy import ErasureReport, PrivacySettings
from recognition.models.profiles import Profile, ProfileMerge
from recognition.models.reviews import FaceReview
from recognition.models.samples import FaceSample, NegativeEvidence

__all__ = [
    "Consent",
    "ConsentText",
    "ErasureReport",
    "FaceReview",
    "FaceSample",
    "GalleryChange",
    "GalleryState",
    "NegativeEvidence",
    "PrivacySettings",
    "Profile",
    "ProfileMerge",
]
