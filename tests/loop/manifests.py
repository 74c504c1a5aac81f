"""A manifest of a small program."""

from __future__ import annotations

MANIFEST = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: printed}
spec:
  maxTrialCount: 3
  parallelTrialCount: 1
  maxFailedTrialCount: 1
  objective: {type: maximize, objectiveMetricName: score}
  algorithm: {algorithmName: random}
  parameters:
    - {name: x, parameterType: double, feasibleSpace: {min: "0.01", max: "0.1"}}
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{name: x, reference: x}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            containers:
              - name: main
                image: none
                command: [python, -c, "print('score=${trialParameters.x}')"]
            restartPolicy: Never
"""
