"""A synthetic scene as a MOTChallenge sequence, for trackers and evaluators that read files."""

from contextlib import ExitStack
from pathlib import Path

from vision.encoding.motchallenge import motchallenge_line
from vision.synthetic.noise import DetectorModel, noisy_detections
from vision.synthetic.scene import Scene
from vision.synthetic.truth import GroundTruth

__all__ = ["write_sequence"]

_LEAST_VISIBLE = 0.1  # who is hidden more than that cannot be asked for; MOT17 keeps to it, too


def write_sequence(
    scene: Scene, folder: Path, *, video: bool = True, model: DetectorModel | None = None
) -> Path:
    """Write ``gt/gt.txt``, ``det/det.txt``, ``seqinfo.ini`` and ``<folder name>.mp4``.

    Args:
        scene: Written frame by frame.
        folder: Made where it is missing; its name is the sequence's.
        video: Whether the pictures are written, too.
        model: How the detections of ``det.txt`` err.

    Returns:
        The folder.

    Raises:
        OSError: The folder cannot be written to.
        VisionError: As ``VideoWriter``.
    """
    for part in ("gt", "det"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    width, height = scene.size
    with ExitStack() as stack:
        truths = stack.enter_context((folder / "gt" / "gt.txt").open("w", encoding="ascii"))
        found = stack.enter_context((folder / "det" / "det.txt").open("w", encoding="ascii"))
        film = None
        if video:
            from vision.encoding.video import VideoWriter

            path = folder / f"{folder.name}.mp4"
            film = VideoWriter(path, width=width, height=height, rate=scene.rate)
            stack.enter_context(film)
        for frame, truth in scene:
            truths.writelines(_truth_lines(truth))
            detections = noisy_detections(truth, seed=scene.seed, size=scene.size, model=model)
            scores = detections.confidence if detections.confidence is not None else ()
            for box, score in zip(detections.xyxy.tolist(), scores, strict=True):
                found.write(motchallenge_line(truth.index + 1, -1, box, float(score)))
            if film is not None:
                film.write(frame.image, frame.timestamp)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={scene.rate:g}\n"
        f"seqLength={len(scene)}\nimWidth={width}\nimHeight={height}\nimExt=.jpg\n",
        encoding="utf-8",
    )
    return folder


def _truth_lines(truth: GroundTruth) -> list[str]:
    """Return ``frame, id, left, top, width, height, 1, class 1, visibility`` per person."""
    lines = []
    for person, box, visible in zip(
        truth.ids.tolist(), truth.boxes.tolist(), truth.visible.tolist(), strict=True
    ):
        if visible < _LEAST_VISIBLE:
            continue
        left, top, right, bottom = box
        numbers = f"{left:g},{top:g},{right - left:g},{bottom - top:g},1,1,{visible:.3f}"
        lines.append(f"{truth.index + 1},{person},{numbers}\n")
    return lines
