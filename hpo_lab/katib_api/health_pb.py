"""The messages of `health.proto`."""

from hpo_lab.katib_api.protobuf import file_contents

globals().update(file_contents("health.proto"))
