"""The file of a plan: YAML in which no key is given twice."""

from pathlib import Path

import yaml

from seentwice.display import one_line, show_text
from seentwice.errors import UserError

_MERGE = "tag:yaml.org,2002:merge"  # the key <<, whose keys others may replace


def read_yaml(path: Path) -> object:
    """Read a YAML file.

    Raises:
        UserError: the file is not there, or no YAML, or a key is given twice; the message names the
            file, and the line where it has one.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        try:
            return _construct(loader)
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UserError(f"{path}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" line {mark.line + 1}:"
        problem = getattr(error, "problem", None) or one_line(error)
        raise UserError(f"{path}:{where} no YAML: {problem}") from error
    except RecursionError as error:
        raise UserError(f"{path}: no YAML: nested too deeply") from error
    except ValueError as error:  # of a number or date that is none
        raise UserError(f"{path}: no YAML: {error}") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _construct(loader: yaml.SafeLoader) -> object:
    root = loader.get_single_node()
    if root is None:
        return None
    # Before the values are made, which keep the last of two and forget the lines.
    _refuse_repeated(root)
    return loader.construct_document(root)


def _refuse_repeated(root: yaml.Node) -> None:
    """Refuse a key that its mapping gives twice.

    Raises:
        UserError: there is one; the message begins with its line.
    """
    seen: set[int] = set()  # an anchor may lead back to where it stands
    left = [("", root)]
    while left:
        path, node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            left += [(path, item) for item in reversed(node.value)]
        elif isinstance(node, yaml.MappingNode):
            left += reversed(_list_values(node, path))


def _list_values(mapping: yaml.MappingNode, path: str) -> list[tuple[str, yaml.Node]]:
    """Return the values of a mapping with their dotted paths.

    Raises:
        UserError: a key is given twice.
    """
    lines: dict[tuple[str, str], int] = {}
    values = []
    for key, value in mapping.value:
        name = show_text(str(key.value))
        here = f"{path}.{name}" if path else name
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            first = lines.get((key.tag, key.value))
            if first is not None:
                raise UserError(
                    f"line {line}: {here} is given twice, first in line {first}; leave one out"
                )
            lines[key.tag, key.value] = line
        values.append((here, value))
    return values
