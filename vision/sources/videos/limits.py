"""What is judged against the limits: by the decoder, and by whoever reads its answers."""

from typing import Final

from vision.sources.videos.info import VideoError, VideoInfo, VideoLimits

# A repaired time line may start with a cluster of frames.
_GRACE: Final = 2.0  # seconds


def check_claims(*, duration: float, frames: int, rate: float, limits: VideoLimits) -> None:
    """Refuse a video for what it says about itself.

    Args:
        duration: Seconds.
        frames: Of the whole video.
        rate: Frames per second.
        limits: What is accepted.

    Raises:
        VideoError: ``video_too_long``, ``too_many_frames`` or ``rate_too_high``.
    """
    if duration > limits.max_seconds:
        raise _too_long(duration, limits)
    if frames > limits.max_frames:
        raise _too_many_frames(frames, limits)
    if rate > limits.max_rate:
        raise _rate_too_high(limits)


def check_size(width: int, height: int, limits: VideoLimits) -> None:
    """Refuse pictures beyond the limits.

    Raises:
        VideoError: ``video_too_large``.
    """
    if width * height > limits.max_pixels:
        raise VideoError(
            "video_too_large",
            f"The video has {width:,} x {height:,} pixels; at most "
            f"{limits.max_pixels / 1e6:.3g} million are accepted. Make it smaller first.",
        )
    if max(width, height) > limits.max_side:
        raise VideoError(
            "video_too_large",
            f"The video has {width:,} x {height:,} pixels; at most {limits.max_side:,} along a "
            "side are accepted.",
        )


def check_progress(index: int, timestamp: float, limits: VideoLimits) -> None:
    """Refuse to go on where a video is longer, or has more frames, than its headers said.

    Raises:
        VideoError: ``video_too_long``, ``too_many_frames`` or ``rate_too_high``.
    """
    if timestamp > limits.max_seconds:
        raise _too_long(timestamp, limits)
    if index >= limits.max_frames:
        raise _too_many_frames(index + 1, limits)
    if index > limits.max_rate * (timestamp + _GRACE):
        raise _rate_too_high(limits)


def end_of(last: float, shown: float, info: VideoInfo, limits: VideoLimits) -> float:
    """Return the seconds at which the picture that was given last stops being shown.

    Args:
        last: Seconds at which it is first shown.
        shown: Seconds for which the file shows it; 0 when the file does not say.
        info: What is known about the video. A picture is shown for one interval at least, and
            for longer only within the duration.
        limits: What is accepted; nothing is shown for longer.
    """
    shortest = last + 1 / info.rate
    end = min(max(last + shown, shortest), max(info.duration, shortest))
    return max(last, min(end, limits.max_seconds))


def _too_long(seconds: float, limits: VideoLimits) -> VideoError:
    return VideoError(
        "video_too_long",
        f"The video is {seconds / 60:,.3g} minutes long; at most {limits.max_seconds / 60:,.3g} "
        "are accepted. Cut it into parts.",
    )


def _too_many_frames(frames: int, limits: VideoLimits) -> VideoError:
    return VideoError(
        "too_many_frames",
        f"The video has {frames:,} frames or more; at most {limits.max_frames:,} are accepted. "
        "Cut it into parts.",
    )


def _rate_too_high(limits: VideoLimits) -> VideoError:
    return VideoError(
        "rate_too_high",
        f"The video has more than {limits.max_rate:g} frames per second, which is the most that "
        "is accepted.",
    )
