"""The space of network architectures (Katib's `nasConfig`)."""

from __future__ import annotations

from pydantic import Field

from hpo_lab.experiment.document import Document
from hpo_lab.experiment.parameter import Parameter

__all__ = ["GraphConfig", "NasConfig", "Operation"]


class GraphConfig(Document):
    """The network as a whole; sizes are those of the dimensions, such as `32, 32, 3`."""

    num_layers: int | None = None
    input_sizes: tuple[int, ...] = ()
    output_sizes: tuple[int, ...] = ()


class Operation(Document):
    """An operation that a layer may be, for all values of its parameters."""

    operation_type: str
    parameters: tuple[Parameter, ...] = ()


class NasConfig(Document):
    """The parts of an architecture: its graph and its operations."""

    graph_config: GraphConfig = Field(default_factory=GraphConfig)
    operations: tuple[Operation, ...] = ()
