from pathlib import Path

import pytest
from untrained_tagger import HEADS, save_untrained_tagger

from seentwice.commands.remembered_reader import RememberedReader
from seentwice.data.source import tell_nobody
from seentwice.errors import UserError
from seentwice.recommend import readers
from seentwice.recommend.photo_reader import PhotoReader, ReaderChoice
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import About
from seentwice.records import TagSet


def test_the_checkpoint_is_opened_once_when_there_is_something_to_look_at(
    tmp_path: Path, few_rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "tagger.safetensors"
    save_untrained_tagger(checkpoint)
    choice = ReaderChoice("tagger", str(checkpoint), None, 10**8)
    fingerprint = readers.open_reader(choice, 1).fingerprint
    opened: list[ReaderChoice] = []
    open_reader = readers.open_reader

    def count(choice: ReaderChoice, workers: int) -> PhotoReader:
        opened.append(choice)
        return open_reader(choice, workers)

    monkeypatch.setattr(readers, "open_reader", count)
    about = About(0, fingerprint, TagSet(HEADS), choice, "photo", ScoreWeights())
    reader = RememberedReader(about, 1)
    assert reader.tags == about.tags
    assert opened == []
    files = sorted(few_rooms.rglob("*_1.jpg"))[:2]
    for file in files:
        (seen,) = reader.read([file], tell_nobody)
        assert seen.files == (file,)
    assert opened == [choice]
    save_untrained_tagger(checkpoint, seed=1)
    with pytest.raises(UserError, match="is not what the index was made with"):
        list(RememberedReader(about, 1).read(files, tell_nobody))
