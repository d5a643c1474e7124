"""``manage.py evaluate_faces FOLDER``: how well are people told apart here."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.inference import close_engine, get_engine
from vision.errors import VisionError

if TYPE_CHECKING:
    from vision.evaluation.faces import CurvePoint, IdentificationScore, PairScore, Share
    from vision.evaluation.faces_folder import FacePairs, LeftOut
    from vision.evaluation.faces_pictures import EmbeddedPictures

TABLE_WIDTH = 140
CSV_COLUMNS = (
    "engine", "threshold", "fmr", "fnmr", "false_matches", "impostor_pairs", "false_non_matches",
    "genuine_pairs",
)  # fmt: skip
OURS = "Sightline"
PEER = "face_recognition"
# The table has every third of hundredths, the files all.
CURVE = [round(0.01 * step, 2) for step in range(20, 121)]
SHOWN = [round(0.03 * step, 2) for step in range(12, 27)]


class Command(BaseCommand):
    """Print errors of verification and of recognition."""

    help = (
        "Compares faces of a folder, by pairs: LFW's layout (NAME/NAME_0001.jpg and pairs.txt), or "
        "a folder for each person, anywhere below; folders of one name are of one person. Prints "
        "false matches and false non-matches (FMR, FNMR) with 95% Clopper-Pearson intervals, "
        "thresholds from the data, and how the rules of recognition do. With --compare "
        "face_recognition.compare_faces at 0.6 looks at the same pairs."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--exclude", action="append", default=[], metavar="NAME",
            help="a folder that is nobody's; repeatable",
        )  # fmt: skip
        parser.add_argument(
            "--pairs", type=int, metavar="N", help="a sample of so many, where there is no list"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the sample")
        parser.add_argument("--compare", action="store_true", help=f"with {PEER}")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write the curves here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        from vision.evaluation.faces_folder import MOST_PAIRS, read_pairs

        most = MOST_PAIRS if options["pairs"] is None else options["pairs"]
        if not 2 <= most <= MOST_PAIRS or options["seed"] < 0:
            raise CommandError(f"There are 2 to {MOST_PAIRS} pairs, and the seed is 0 or more.")
        try:
            pairs = read_pairs(
                options["folder"], exclude=options["exclude"], most=most, seed=options["seed"]
            )
            embedded = self._embed(pairs, compare=options["compare"], options=options)
            report = Report.of(pairs, embedded)
        except VisionError as error:
            raise CommandError(error.message) from error
        finally:
            close_engine()
        self.stdout.write(report.as_text())
        for path, write in (
            (options["json"], report.write_json),
            (options["csv"], report.write_csv),
        ):
            if path is not None:
                _write(path, write)

    def _embed(
        self, pairs: FacePairs, *, compare: bool, options: dict[str, Any]
    ) -> dict[str, EmbeddedPictures]:
        from vision.evaluation.faces_pictures import embed_pictures, embed_with_peer

        def tell(name: str) -> Callable[[int, int], None]:
            def count(done: int, total: int) -> None:
                if options["verbosity"] > 1 and (done % 100 == 0 or done == total):
                    self.stderr.write(f"{name}: {done} of {total} pictures")

            return count

        embedded = {OURS: embed_pictures(get_engine().faces, pairs, tell=tell(OURS))}
        if compare:
            embedded[PEER] = embed_with_peer(pairs, tell=tell(PEER))
        return embedded


class Report:
    """The figures of one run; of pairs that every contender found faces for.

    Attributes:
        pairs: What was compared.
        left_out: Pictures by contender.
        scores: Of pairs, by contender.
        compared: How many pairs had faces for all of them.
        identification: By the rules of recognition.
    """

    def __init__(
        self,
        pairs: FacePairs,
        left_out: dict[str, tuple[LeftOut, ...]],
        scores: dict[str, PairScore],
        compared: int,
        identification: IdentificationScore,
    ) -> None:
        self.pairs = pairs
        self.left_out = left_out
        self.scores = scores
        self.compared = compared
        self.identification = identification

    @classmethod
    def of(cls, pairs: FacePairs, embedded: dict[str, EmbeddedPictures]) -> Report:
        """Judge what was embedded."""
        import numpy as np

        from vision.evaluation.faces import identify, score_pairs
        from vision.faces.matching import DEFAULT_RULES

        usable = np.logical_and.reduce([faces.usable for faces in embedded.values()])
        kept = usable[pairs.pairs].all(axis=1)
        chosen, same, folds = pairs.pairs[kept], pairs.same[kept], pairs.folds[kept]
        scores = {}
        for name, faces in embedded.items():
            first, second = (faces.embeddings[chosen[:, side]].astype(float) for side in (0, 1))
            scores[name] = score_pairs(np.linalg.norm(first - second, axis=1), same, folds)
        own = embedded[OURS]
        identification = identify(
            own.embeddings[own.usable], pairs.identities[own.usable], DEFAULT_RULES
        )
        left_out = {"": pairs.left_out} | {name: one.left_out for name, one in embedded.items()}
        return cls(pairs, left_out, scores, int(kept.sum()), identification)

    def rows(self) -> list[tuple[str, str, CurvePoint]]:
        """Return the thresholds that matter, by contender."""
        from vision.evaluation.faces import PEER_THRESHOLD
        from vision.faces.calibration import CALIBRATION
        from vision.faces.matching import DEFAULT_RULES

        rows = []
        for name, score in self.scores.items():
            if name == OURS:
                rows.append((name, "same person", score.at(CALIBRATION.middle)))
                rows.append((name, "known in a gallery", score.at(DEFAULT_RULES.threshold)))
            else:
                rows.append((name, "compare_faces", score.at(PEER_THRESHOLD)))
            rows.append((name, "equal errors here", score.equal))
            rows.append((name, "FMR 0.1% here", score.rare))
        return rows

    def as_text(self) -> str:
        """Return the tables."""
        from rich.console import Console

        console = Console(width=TABLE_WIDTH, color_system=None)
        with console.capture() as captured:
            for table in (self._points_table(), self._curve_table()):
                console.print(table)
            for line in (*self._summary(), *self._left_out_lines()):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
        return captured.get()

    def write_json(self, path: Path) -> None:
        """Write all figures."""
        document = {
            "pictures": len(self.pairs.pictures),
            "identities": len(self.pairs.names),
            "pairs": len(self.pairs.pairs),
            "compared": self.compared,
            "points": [
                {"engine": name, "point": what} | _point(point) for name, what, point in self.rows()
            ],
            "cross_validated": {name: score.cross_validated for name, score in self.scores.items()},
            "curves": {
                name: [_point(point) for point in score.curve(CURVE)]
                for name, score in self.scores.items()
            },
            "recognition": {
                name: _share(getattr(self.identification, name))
                for name in ("known", "asked", "mistaken", "impostors", "impostors_asked")
            },
            "left_out": [
                {"engine": name, "picture": str(path), "reason": reason}
                for name, left_out in self.left_out.items()
                for path, reason in left_out
            ],
        }
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def write_csv(self, path: Path) -> None:
        """Write the curves."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            for name, score in self.scores.items():
                for point in score.curve(CURVE):
                    wrong, missed = point.false_matches, point.false_non_matches
                    counts = (wrong.number, wrong.of, missed.number, missed.of)
                    writer.writerow([name, point.threshold, wrong.rate, missed.rate, *counts])

    def _points_table(self) -> Any:
        from rich.table import Table

        table = Table(title=f"{self.compared} pairs of {len(self.pairs.names)} people")
        for heading in ("engine", "threshold for"):
            table.add_column(heading)
        for heading in ("at", "accuracy", "errors", "FMR", "FNMR"):
            table.add_column(heading, justify="right")
        for name, what, point in self.rows():
            wrong, missed = point.false_matches, point.false_non_matches
            accuracy, errors = f"{100 * point.accuracy:.2f}%", str(wrong.number + missed.number)
            at = _number(point.threshold)
            table.add_row(name, what, at, accuracy, errors, _told(wrong), _told(missed))
        return table

    def _curve_table(self) -> Any:
        from rich.table import Table

        table = Table(title="FMR and FNMR by threshold")
        table.add_column("threshold", justify="right")
        for name in self.scores:
            table.add_column(f"{name} FMR", justify="right")
            table.add_column(f"{name} FNMR", justify="right")
        for threshold in SHOWN:
            points = [score.at(threshold) for score in self.scores.values()]
            table.add_row(_number(threshold), *(
                f"{100 * share.rate:.2f}%"
                for point in points for share in (point.false_matches, point.false_non_matches)
            ))  # fmt: skip
        return table

    def _summary(self) -> Iterable[str]:
        one = self.identification
        for name, score in self.scores.items():
            if score.cross_validated is not None:
                accuracy = f"{100 * score.cross_validated:.2f}%"
                yield f"{name}: {accuracy} right, cross-validated over ten parts."
        yield f"Known by the other faces of the same person: {_told(one.known)}."
        yield f"Asked about: {_told(one.asked)}; named wrongly: {_told(one.mistaken)}."
        yield (
            f"Strangers (all faces, the person's others taken away) named: {_told(one.impostors)}; "
            f"asked about: {_told(one.impostors_asked)}."
        )
        yield (
            "In brackets: 95% intervals (Clopper-Pearson). They take the pairs for independent; "
            "pairs that share faces are less."
        )
        if len(self.scores) > 1:
            yield self._verdict()

    def _verdict(self) -> str:
        points = {name: point for name, what, point in reversed(self.rows())
                  if what in ("same person", "compare_faces")}  # fmt: skip
        ours, theirs = (round((1 - points[name].accuracy) * self.compared) for name in (OURS, PEER))
        relation = "fewer" if ours < theirs else "as many" if ours == theirs else "MORE"
        return f"Errors of {OURS}: {ours}; of {PEER} at 0.6: {theirs} ({relation})."

    def _left_out_lines(self) -> Iterable[str]:
        for name, left_out in self.left_out.items():
            for path, reason in left_out:
                yield f"Left out{f' by {name}' if name else ''}: {path}: {reason}"


def _point(point: CurvePoint) -> dict[str, Any]:
    # JSON has no infinity: a threshold that lets every pair pass is no threshold.
    finite = math.isfinite(point.threshold)
    return {
        "threshold": point.threshold if finite else None,
        "accuracy": point.accuracy,
        "false_matches": _share(point.false_matches),
        "false_non_matches": _share(point.false_non_matches),
    }


def _share(share: Share) -> dict[str, Any]:
    return {**share._asdict(), "rate": share.rate}


def _told(share: Share) -> str:
    interval = f"{100 * share.low:.2f}-{100 * share.high:.2f}%"
    return f"{share.number} of {share.of} = {100 * share.rate:.2f}% ({interval})"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error
