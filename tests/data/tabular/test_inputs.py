from pathlib import Path

import pytest

from seentwice.data.tabular.inputs import keep_inputs
from seentwice.errors import UserError


@pytest.mark.parametrize(
    "output", ["table.csv", "sub/../table.csv", "link.csv", "folder/table.csv"]
)
def test_a_file_that_is_read_is_not_written(tmp_path: Path, output: str):
    (tmp_path / "table.csv").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.csv").symlink_to("table.csv")
    (tmp_path / "folder").symlink_to(tmp_path)
    inputs = [tmp_path / "other.csv", tmp_path / "table.csv"]
    message = r"^data\.rejects=.*: is .*table\.csv, which is used already; name another file$"
    with pytest.raises(UserError, match=message):
        keep_inputs("data.rejects", tmp_path / output, inputs)


def test_other_files_may_be_written(tmp_path: Path):
    keep_inputs("data.rejects", tmp_path / "table.csv.rejects", [tmp_path / "table.csv"])
