import pytest
from grey_photos import Disk

from seentwice.detectors import filling


@pytest.fixture
def disk(monkeypatch):
    stand_in = Disk()
    monkeypatch.setattr(filling, "read_photo", stand_in.read_photo)
    monkeypatch.setattr(filling, "apply_edit", stand_in.apply_edit)
    monkeypatch.setattr(filling, "digest_file", lambda path: f"{path.name}.jpg".encode().ljust(32))
    return stand_in
