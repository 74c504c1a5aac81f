"""YAML text as Kubernetes reads it, with values that are filled in after parsing.

PyYAML follows YAML 1.1 further than Go's parser, which every Kubernetes tool uses. The
loader here follows Go: dates and `22:30` are text, `1e-5` is a number, and a key that is
repeated or no text is an error.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import yaml

from hpo_lab.problems import InvalidInput, Problem

__all__ = ["MOST_BYTES", "MOST_VALUES", "mark", "read_documents", "write_document"]

MOST_BYTES: Final = 3 * 512 * 1024
"""The largest text: Kubernetes keeps no larger object, and YAML takes some 10 s a MiB."""

MOST_VALUES: Final = 200_000
"""The most values that a document may hold with its aliases followed."""

# An index between two characters for private use, which have no meaning in YAML.
_MARK = re.compile("\ue000(\\d+)\ue001")


def mark(index: int) -> str:
    """The text that stands for value number *index* until the YAML around it is parsed."""
    return f"\ue000{index}\ue001"


def read_documents(text: str, values: Sequence[str] = (), *, source: str = "") -> list[Any]:
    """The documents of *text* that are not empty.

    Args:
        text: YAML or JSON; marks stand for *values*.
        values: Filled in as scalars or parts of scalars, whatever they contain. As in
            textual replacement, an unquoted scalar that then looks like a number is a number.
        source: Names the text in messages.

    Raises:
        InvalidInput: *text* is no YAML, is too long, or describes endlessly many values.
    """
    if len(text) > MOST_BYTES:
        message = f"is {len(text)} characters long; YAML may have at most {MOST_BYTES}"
        raise InvalidInput([Problem("", message)], source)
    documents = []
    try:
        loader: Any = _Loader(text, values)
        while loader.check_data():
            documents.append(loader.get_data())
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        where = f"line {place.line + 1}, column {place.column + 1}" if place else ""
        message = f"not valid YAML: {error.problem or error.context}"
        raise InvalidInput([Problem(where, message)], source) from None
    except RecursionError:
        message = "not valid YAML: nested too deeply"
        raise InvalidInput([Problem("", message)], source) from None
    except (yaml.YAMLError, ValueError) as error:
        message = f"not valid YAML: {' '.join(str(error).split())}"
        raise InvalidInput([Problem("", message)], source) from None
    if _count(documents) > MOST_VALUES:
        message = f"describes more than {MOST_VALUES} values (endless alias?)"
        raise InvalidInput([Problem("", message)], source)
    return [document for document in documents if document is not None]


def write_document(document: Any) -> str:
    """*document*, plain data, as YAML text that every parser reads alike."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, values: Sequence[str]) -> None:
        super().__init__(text)
        self._values = values

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        value = _MARK.sub(lambda match: self._values[int(match[1])], node.value)
        if value != node.value:
            node.value = value
            resolve: Any = self.resolve
            tag = resolve(yaml.ScalarNode, value, (True, False))
            node.tag = tag if node.style is None and tag in _SCALARS else _TEXT
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if key.tag != _TEXT:
                value = key.value if isinstance(key, yaml.ScalarNode) else "of several values"
                raise _refused(f"key {value} is not text", key)
            if key.value in keys:
                raise _refused(f"key {key.value!r} is given twice", key)
            keys.add(key.value)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Resolve merge keys: a key of the mapping's own wins, then that of the first source."""
        pairs = {key.value: (key, value) for key, value in node.value if key.tag != _MERGE}
        for sources in [value for key, value in node.value if key.tag == _MERGE]:
            is_list = isinstance(sources, yaml.SequenceNode)
            for source in sources.value if is_list else [sources]:
                if not isinstance(source, yaml.MappingNode):
                    raise _refused("a merge key needs a mapping", source)
                self.flatten_mapping(source)
                for key, value in source.value:
                    pairs.setdefault(key.value, (key, value))
        node.value = [*pairs.values()]

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = int(super().construct_yaml_int(node))
        if abs(number) > sys.float_info.max:
            raise _refused(_TOO_LARGE, node)
        return number

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number = super().construct_yaml_float(node)
        if math.isinf(number) and "inf" not in node.value.lower():
            raise _refused(_TOO_LARGE, node)
        return number


def _refused(message: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


_TOO_LARGE = "a number is too large; in quotation marks it is text"
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_SCALARS = [f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")]
# The types of unquoted scalars that PyYAML and Go recognise alike.
_KEPT = [f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "merge")]
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_INTEGER = r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)"
_FLOAT = (
    r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class _Dumper(yaml.SafeDumper):
    """Puts text in quotation marks wherever PyYAML or Go would read something else."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # In other styles a parser would fold these line breaks of Unicode into a space.
    style = '"' if any(character in text for character in "\x85\u2028\u2029") else None
    return dumper.represent_scalar(_TEXT, text, style=style)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
_Dumper.add_representer(str, _represent_text)
for _name, _pattern in (("int", _INTEGER), ("float", _FLOAT)):
    for _end in (_Loader, _Dumper):
        _end.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})\\Z"), list("-+.0123456789")
        )


def _count(document: Any) -> int:
    """How many values a document holds with its aliases followed, counted up to the limit."""
    count, pending = 0, [document]
    while pending and count <= MOST_VALUES:
        value = pending.pop()
        count += 1
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return count
