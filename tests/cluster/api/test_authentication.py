"""Where the API server is, and as whom it is asked."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.cluster.api import authentication
from hpo_lab.cluster.api.authentication import (
    Credentials,
    find_credentials,
    kubeconfig_credentials,
    pod_credentials,
)
from hpo_lab.problems import InvalidInput


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., str]:
    """`kubeconfig(user, cluster, name=...)`: write a kubeconfig; its path."""

    def write(
        user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, name: str = "a"
    ) -> str:
        clusters = {"server": f"http://{name}.test:8080", **(cluster or {})}
        document = {
            "clusters": [{"name": name, "cluster": clusters}],
            "users": [{"name": name, "user": user or {}}],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name, "namespace": "team"}},
                {"name": f"{name}-plain", "context": {"cluster": name}},
            ],
            "current-context": name,
        }
        path = tmp_path / f"{name}.config"
        path.write_text(json.dumps(document))
        return str(path)

    return write


async def authorization(credentials: Credentials) -> str:
    return (await credentials.access()).authorization


async def test_a_context_has_a_server_a_namespace_and_a_token(
    kubeconfig: Callable[..., str],
) -> None:
    path = kubeconfig({"token": "secret"})
    credentials = kubeconfig_credentials(path=path)
    assert (credentials.host, credentials.namespace) == ("http://a.test:8080", "team")
    assert await authorization(credentials) == "Bearer secret"
    plain = kubeconfig_credentials("a-plain", path)
    assert plain.namespace == "default"
    assert await authorization(plain) == ""


def test_several_files_are_one_of_which_the_first_counts(
    kubeconfig: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = [str(tmp_path / "missing"), kubeconfig(name="a"), kubeconfig(name="b")]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(paths))
    assert find_credentials().host == "http://a.test:8080"
    assert find_credentials("b").host == "http://b.test:8080"


def test_a_context_that_is_not_there_is_told_with_those_that_are(
    kubeconfig: Callable[..., str],
) -> None:
    path = kubeconfig(name="production")
    with pytest.raises(InvalidInput) as error:
        kubeconfig_credentials("prodction", path)
    assert str(error.value) == (
        f"1 problem in {path}:\n  context: 'prodction' is not there; there are 'production',"
        " 'production-plain'; did you mean 'production'?"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        find_credentials()
    assert str(error.value) == (
        f"1 problem:\n  kubeconfig: there is no file {tmp_path}/home/.kube/config;"
        " set KUBECONFIG to a kubeconfig of your cluster"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no kubeconfig"),
        ("a: [", "cannot be read: "),
        ("clusters: []", "no context is chosen; there are none"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: y}}]", "'y' is not there"),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n"
            "clusters: [{name: x, cluster: {server: localhost}}]",
            "has the server 'localhost', which is no address",
        ),
    ],
)
def test_a_file_that_says_too_little_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="(?s)" + message.replace("[", r"\[")):
        kubeconfig_credentials(path=str(path))


def plugin(tmp_path: Path, *, expires: str = "", code: int = 0) -> dict[str, Any]:
    """A user whose token a program makes: `token-1`, `token-2`, ..."""
    script = tmp_path / "plugin.py"
    script.write_text(
        "import json, pathlib, sys\n"
        f"runs = pathlib.Path({str(tmp_path / 'runs')!r})\n"
        "runs.open('a').write('x')\n"
        "status = {'token': f'token-{len(runs.read_text())}'}\n"
        f"status |= {{'expirationTimestamp': {expires!r}}} if {expires!r} else {{}}\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'kind': 'ExecCredential', 'status': status}))\n"
        f"sys.exit({code})\n"
    )
    api_version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api_version, "command": sys.executable, "args": [str(script)]}}


async def test_a_plugin_is_asked_again_when_its_token_is_refused(
    kubeconfig: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_LASTS", 0.0)
    credentials = kubeconfig_credentials(path=kubeconfig(plugin(tmp_path)))
    assert [await authorization(credentials) for _ in range(2)] == ["Bearer token-1"] * 2
    credentials.refused()
    assert await authorization(credentials) == "Bearer token-2"


async def test_a_plugin_is_asked_again_when_its_token_has_expired(
    kubeconfig: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_LASTS", 0.0)
    user = plugin(tmp_path, expires="2020-01-01T00:00:00Z")
    credentials = kubeconfig_credentials(path=kubeconfig(user))
    tokens = [await authorization(credentials) for _ in range(3)]
    assert len({*tokens}) == 3


async def test_a_plugin_that_fails_is_told(kubeconfig: Callable[..., str], tmp_path: Path) -> None:
    credentials = kubeconfig_credentials(path=kubeconfig(plugin(tmp_path, code=1)))
    with pytest.raises(InvalidInput, match=r"the command .* of the user gave no credentials"):
        await credentials.access()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, crt = folder / f"{name}.key", folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(crt), "-subj", f"/CN={name}"]
    subprocess.run(command, check=True, capture_output=True)
    return crt, key


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a service account of the pod that this is."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "namespace").write_text("team\n")
    (account / "token").write_text("first\n")
    certificate(tmp_path, "authority")[0].rename(account / "ca.crt")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    return account


async def test_a_pod_reads_its_token_again(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = pod_credentials(pod)
    assert (credentials.host, credentials.namespace) == ("https://[fd00::1]:6443", "team")
    first = await credentials.access()
    assert first.authorization == "Bearer first"
    assert first.ssl is not None and first.ssl.verify_mode == ssl.CERT_REQUIRED
    (pod / "token").write_text("second")
    assert await authorization(credentials) == "Bearer first"
    monkeypatch.setattr(authentication.time, "monotonic", lambda: float("inf"))
    second = await credentials.access()
    assert second.authorization == "Bearer second"
    # The same context, so that connections stay open.
    assert second.ssl is first.ssl


async def test_a_token_that_cannot_be_read_again_is_kept(pod: Path) -> None:
    credentials = pod_credentials(pod)
    await credentials.access()
    (pod / "token").unlink()
    credentials.refused()
    assert await authorization(credentials) == "Bearer first"


def test_a_pod_without_account_is_told(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pod / "token").unlink()
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(InvalidInput) as error:
        pod_credentials(pod)
    assert str(error.value) == (
        "2 problems in the pod's account:\n"
        "  KUBERNETES_SERVICE_HOST: is not set; this process is in no pod of a cluster\n"
        f"  {pod}/token: is not there; a pod needs a service account to ask its cluster"
    )


async def test_a_certificate_of_the_user_is_sent(
    kubeconfig: Callable[..., str], tmp_path: Path
) -> None:
    crt, key = certificate(tmp_path, "ada")
    user = {"client-certificate": str(crt), "client-key": str(key)}
    cluster = {"server": "https://a.test", "certificate-authority": str(crt)}
    cluster["tls-server-name"] = "other.test"
    access = await kubeconfig_credentials(path=kubeconfig(user, cluster)).access()
    assert access.ssl is not None
    assert access.ssl.get_ca_certs()[0]["subject"] == ((("commonName", "ada"),),)
    assert access.server_name == "other.test"
    insecure = {"server": "https://a.test", "insecure-skip-tls-verify": True}
    access = await kubeconfig_credentials(path=kubeconfig(user, insecure)).access()
    assert access.ssl is not None and access.ssl.verify_mode == ssl.CERT_NONE


async def test_a_file_of_the_context_that_is_missing_is_told(
    kubeconfig: Callable[..., str],
) -> None:
    cluster = {"server": "https://a.test", "certificate-authority": "/nowhere/ca.crt"}
    credentials = kubeconfig_credentials(path=kubeconfig({}, cluster))
    with pytest.raises(InvalidInput, match=r"/nowhere/ca\.crt"):
        await credentials.access()
