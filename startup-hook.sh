# Determined reads this into the shell that starts a trial, in its folder. Installs what the image
# lacks; what it brings, such as its torch, stays as it is where pyproject.toml takes it.
(
    set -euo pipefail
    folder=$(mktemp -d)
    "${DET_PYTHON_EXECUTABLE:-python3}" - "$folder" <<'EOF'
import re
import sys

if sys.version_info < (3, 11):
    sys.exit("seentwice needs Python 3.11 or newer: give environment.image one that has it")

import tomllib
from importlib.metadata import distributions
from pathlib import Path

folder = Path(sys.argv[1])
project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
needed = [*project["dependencies"], *project["optional-dependencies"]["kaggle"]]
(folder / "needed.txt").write_text("\n".join(needed))


def spell(name):
    return re.sub(r"[-_.]+", "-", name).lower()


there = {spell(found.name) for found in distributions() if found.name}
pinned = [
    line
    for line in Path("constraints.txt").read_text().splitlines()
    if spell(re.split(r"[=<>!~;\[ #]", line, maxsplit=1)[0]) not in there
]
(folder / "pinned.txt").write_text("\n".join(pinned))
EOF
    "${DET_PYTHON_EXECUTABLE:-python3}" -m pip install --quiet --disable-pip-version-check \
        --requirement "$folder/needed.txt" --constraint "$folder/pinned.txt"
    rm -r "$folder"
)
