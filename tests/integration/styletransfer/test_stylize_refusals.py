"""``manage.py stylize``: what it refuses, and that it then leaves nothing."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from tests.integration.styletransfer.painters import run, save

pytestmark = pytest.mark.once  # needs no server

REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "one file": (("content.png",), "Name three files"),
    "four files": (("content.png", "style.jpg", "a.png", "b.png"), "Name three files"),
    "no style": (("content.png", "o.png"), "Name three files"),
    "no steps": (("content.png", "style.jpg", "o.png", "--steps", "0"), "option steps"),
    "many steps": (("content.png", "style.jpg", "o.png", "--steps", "9999"), "option steps"),
    "weight": (("content.png", "style.jpg", "o.png", "--style-weight", "nan"), "style_weight"),
    "size": (("content.png", "style.jpg", "o.png", "--size", "3"), "--size is a number"),
    "no content": (("none.png", "style.jpg", "o.png"), "none.png cannot be read: No such file"),
    "no such style": (("content.png", "none.jpg", "o.png"), "none.jpg cannot be read"),
    "no picture": (("text.png", "style.jpg", "o.png"), "text.png: "),
    "bad style": (("content.png", "text.png", "o.png"), "text.png: "),
    "suffix": (("content.png", "style.jpg", "o.gif"), "must end in .jpg or .jpeg or .png"),
    "slow video": (("content.png", "style.jpg", "o.mp4"), "in a fast style only"),
    "no folder": (("content.png", "style.jpg", "none/o.png"), "There is no folder"),
    "there": (("content.png", "style.jpg", "there.png"), "is there already; --force"),
    "there, fast": (("content.png", "there.png", "--fast", "candy"), "is there already"),
    "folder": (("content.png", "style.jpg", "folder.png", "--force"), "is there already"),
    "fast and slow": (("content.png", "o.png", "--fast", "candy", "--steps", "9"), "--steps does"),
    "unknown": (("content.png", "o.png", "--fast", "picasso"), "There is no fast style 'picasso'"),
    "not here": (("content.png", "o.png", "--fast", "udnie"), "udnie-9.onnx is not installed"),
    "fast text": (("text.png", "o.png", "--fast", "candy"), "text.png: "),
    "no video": (("content.png", "o.mp4", "--fast", "candy"), "video"),
    "tiny": (("tiny.png", "o.png", "--fast", "candy"), "at least 16 pixels"),
}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    name: str, content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, message = REFUSED[name]
    (tmp_path / "text.png").write_text("no picture at all")
    (tmp_path / "there.png").write_text("somebody's")
    (tmp_path / "folder.png").mkdir()
    save(tmp_path / "tiny.png", 1, 1)
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert message in str(error.value)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.png").read_text() == "somebody's"
