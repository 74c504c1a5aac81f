"""The messages of `katib.proto`."""

from hpo_lab.katib_api.protobuf import file_contents

globals().update(file_contents("katib.proto"))
