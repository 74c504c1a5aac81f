"""A double of the Kubernetes API server, in this process, with a kubelet that runs Jobs.

    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        Kubelet(server, lambda pod: Outcome(seconds=0.1, lines=("loss=0.5",)))
        ...                                    # the client, informers, a controller
        server.compact()                       # watches and pages that began before answer 410
        server.faults.lost = 0.04              # 4 % of writes are done, their replies are lost
        server.objects.find("Job", "default")  # what is there, without a request
        server.requests["create", "jobs"]      # how often it was asked

It keeps what a controller can stumble over: uid, resourceVersion, generation, creationTimestamp,
generateName, conflicts, status isolation, server-side apply with the ownership of fields, selectors
whose transitions a watch tells, pages of a snapshot, watches that resume, bookmarks, 410, garbage
collection, finalizers, the limit of 1.5 MB, and definitions that register kinds, whose schemas
prune, set defaults and refuse. `test_contract*.py` run the same checks against it and against a
real server.

It does not keep: authentication and authorization (but see `Faults.forbidden`), admission, CEL
rules, conversion between versions, strategic merge patches, schemas of built-in kinds.

A process of its own is pointed at it by `server.kubeconfig(path)`. `stop()` and `start()` restart
it at the same address with what it holds. `server.objects.tokens` says what a TokenReview answers.
"""

from tests.cluster.api_server.faults import Faults
from tests.cluster.api_server.kubelet import Kubelet, Outcome
from tests.cluster.api_server.server import ApiServer

__all__ = ["ApiServer", "Faults", "Kubelet", "Outcome"]
