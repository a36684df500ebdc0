"""What Hydra says of a configuration that cannot be composed, in one line that says what to do."""

import re


def describe_hydra_error(error: Exception, command: str) -> str:
    """Return what is wrong.

    Args:
        error: of Hydra or OmegaConf.
        command: that was to be composed.
    """
    text = f"{error}\n{error.__cause__ or ''}"
    missing = re.search(r"Missing mandatory value: (\S+)", text)
    if missing:
        return f"{missing[1]} needs a value: give {missing[1]}=VALUE"
    lacking = re.search(r"In '(\w+)/(\w+)': Could not override '(\w+)'", text)
    if lacking:
        group, option, other = lacking.groups()
        return f"{group}={option}: sets {other}, which {command} has not; choose another {group}"
    text = str(error).split("Config search path:")[0]
    text = re.sub(r"\s*\n\s*\n?\t?", " ", text.split("Set the environment variable")[0])
    return re.sub(r"\s+", " ", text).strip()
